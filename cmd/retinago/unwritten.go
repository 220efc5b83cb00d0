package main

import (
	"fmt"
	"sync"

	"retinago/infer"
)

// unwritten collects the errors of files that could not be written. The run goes on after them.
type unwritten struct {
	mu sync.Mutex
	of map[int][]error // by the result's index
}

// note keeps an error of writing a result. Several goroutines may call it.
func (l *unwritten) note(r infer.Result, err error) {
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[int][]error{}
	}
	l.of[r.Index] = append(l.of[r.Index], fmt.Errorf("%s: %w", r.Path, err))
}

// take returns and removes a result's errors.
func (l *unwritten) take(r infer.Result) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.of[r.Index]
	delete(l.of, r.Index)
	return errs
}

// unwrittenLines is how many unwritten files are named; the others are counted.
const unwrittenLines = 50
