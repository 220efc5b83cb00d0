package coco

import (
	"errors"
	"fmt"
)

// maxFaults is how many errors one call reports; the rest are counted.
const maxFaults = 20

// faults collects errors of one file.
type faults struct {
	list []error
	more int
}

// full reports whether errors are only counted.
func (f *faults) full() bool { return len(f.list) == maxFaults }

func (f *faults) add(format string, args ...any) {
	if len(f.list) < maxFaults {
		f.list = append(f.list, fmt.Errorf(format, args...))
	} else {
		f.more++
	}
}

// err joins what was collected; nil when there is nothing.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	if f.more > 0 {
		return errors.Join(append(f.list[:len(f.list):len(f.list)], fmt.Errorf("and %d more", f.more))...)
	}
	return errors.Join(f.list...)
}
