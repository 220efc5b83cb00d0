package convert

import (
	"errors"
	"fmt"
	"strings"

	"retinago/coco"
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

// leave gives a dataset the faults of items that it does without. A dataset without images is an error.
func (f *faults) leave(d *coco.Dataset) error {
	if len(d.Images) == 0 {
		return f.err()
	}
	for i, err := range f.errs {
		p := coco.Problem{Severity: coco.Error, Kind: coco.Unreadable, Item: d.Path, Seen: strings.TrimPrefix(err.Error(), "convert: "), Advice: "correct it; it is left out"}
		if i == len(f.errs)-1 {
			p.More = f.more
		}
		d.Dropped = append(d.Dropped, p)
	}
	return nil
}
