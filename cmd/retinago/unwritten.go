package main

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"retinago/infer"
	"retinago/internal/file"
)

// unwritten collects errors of files that could not be written because of their names. The run goes on after them.
type unwritten struct {
	mu sync.Mutex
	of map[int][]error // by the result's index
}

// note keeps an error about a file name and returns any other error. Several goroutines may call it.
func (l *unwritten) note(r infer.Result, err error) error {
	if !errors.Is(err, file.ErrName) && !errors.Is(err, syscall.ENAMETOOLONG) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[int][]error{}
	}
	l.of[r.Index] = append(l.of[r.Index], fmt.Errorf("%s: %w", r.Path, err))
	return nil
}

// take returns and removes a result's errors.
func (l *unwritten) take(r infer.Result) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.of[r.Index]
	delete(l.of, r.Index)
	return errs
}
