package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"retinago/coco"
)

// Bounds of what a Report lists.
const (
	maxErrors   = 20 // errors
	maxWarnings = 5  // warnings of a kind
)

// Report is what Look found. Only the first findings are listed; all are counted.
type Report struct {
	Path     string
	Errors   []coco.Problem
	Warnings []coco.Problem // The More of the last of a kind counts those that are not listed.

	errors, final int // of all; final ones cannot be ignored
}

// Look examines a dataset and lists what stops and what warns. Its error is of ctx.
func Look(ctx context.Context, d *coco.Dataset, o Options) (*Report, error) {
	r := &Report{Path: d.Path}
	count, last := map[coco.Kind]int{}, map[coco.Kind]int{}
	for p, err := range examine(ctx, d, o) {
		if err != nil {
			return nil, err
		}
		switch p.Severity {
		case coco.Error:
			r.errors++
			if !ignorable(p) {
				r.final++
			}
			if len(r.Errors) < maxErrors {
				r.Errors = append(r.Errors, p)
			}
		case coco.Warning:
			if count[p.Kind]++; count[p.Kind] > maxWarnings {
				r.Warnings[last[p.Kind]].More++
				continue
			}
			last[p.Kind] = len(r.Warnings)
			r.Warnings = append(r.Warnings, p)
		}
	}
	return r, nil
}

// ignoreOption is the option of training and evaluation that goes on in spite of errors that ignorable accepts.
const ignoreOption = "-ignore-findings"

// Err is the error of a run on the dataset, nil where none stops it. Ignore leaves out what can be ignored.
func (r *Report) Err(ignore bool) error {
	if r.errors == 0 || ignore && r.final == 0 {
		return nil
	}
	var errs []error
	for _, p := range r.Errors {
		if !ignore || !ignorable(p) {
			errs = append(errs, fmt.Errorf("%s: %s", r.Path, p.Text()))
		}
	}
	if n := r.errors - len(r.Errors); n > 0 {
		errs = append(errs, fmt.Errorf("and %d more", n))
	}
	if r.errors == 1 && r.Errors[0].Kind == NoPictures {
		return errors.Join(errs...) // which says what helps
	}
	advice := "`data check` lists all, and `data check -fix` repairs a copy"
	if r.final == 0 {
		advice += "; " + ignoreOption + " goes on all the same"
	}
	return errors.Join(append(errs, errors.New(advice))...)
}

// Print writes a line for each warning, and for each error, which is ignored.
func (r *Report) Print(w io.Writer) {
	for _, p := range r.Errors {
		fmt.Fprintf(w, "warning   %s: %s (ignored)\n", r.Path, p.Text())
	}
	if n := r.errors - len(r.Errors); n > 0 {
		fmt.Fprintf(w, "warning   %s: and %d more (ignored)\n", r.Path, n)
	}
	for _, p := range r.Warnings {
		more := ""
		if p.More > 0 {
			more = fmt.Sprintf(" (and %d more, which `data check` lists)", p.More)
		}
		fmt.Fprintf(w, "warning   %s: %s%s\n", r.Path, p.Text(), more)
	}
}
