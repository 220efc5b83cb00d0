package convert

import (
	"errors"
	"fmt"
)

// faults collects errors, 20 at most and the number of the rest.
type faults struct {
	errs []error
	more int
}

func (f *faults) add(format string, a ...any) {
	if len(f.errs) == 20 {
		f.more++
		return
	}
	f.errs = append(f.errs, fmt.Errorf("convert: "+format, a...))
}

func (f *faults) err() error {
	if f.more > 0 {
		return errors.Join(append(f.errs, fmt.Errorf("convert: and %d more", f.more))...)
	}
	return errors.Join(f.errs...)
}
