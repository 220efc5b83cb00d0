package main

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"retinago/infer"
	"retinago/internal/file"
)

// lost collects the files that were not written for their names alone. They are of one result each, and the run goes on.
type lost struct {
	mu sync.Mutex
	of map[int][]error // by the result's index
}

// note keeps an error of a file's name and returns any other. Several goroutines may call it.
func (l *lost) note(r infer.Result, err error) error {
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

// take returns a result's errors and forgets them.
func (l *lost) take(r infer.Result) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.of[r.Index]
	delete(l.of, r.Index)
	return errs
}
