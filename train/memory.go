package train

import (
	"errors"
	"fmt"
	"path/filepath"
)

// outOfMemory saves a run whose device has no memory for the next step or for an evaluation, as where others take it meanwhile, and tells
// what would fit.
func (l *Loop) outOfMemory(err error) error {
	if e := l.save(); e != nil {
		return errors.Join(err, e)
	}
	plan, e := l.whatFits()
	if e != nil {
		plan = fmt.Sprintf("what fits is not known (%v)", e)
	}
	return fmt.Errorf("%w; step %d is saved: make room on the device and continue with -resume; as it is now, %s, in another run from %s (train.init_weights)",
		err, l.Step, plan, filepath.Join(l.out, LastModel))
}

// whatFits tells the largest batch below the run's that fits beside others, with all that the run holds. Its graphs are gone then.
func (l *Loop) whatFits() (string, error) {
	have, where, err := l.memory()
	if err != nil {
		return "", err
	}
	if err := l.Model.Forget(); err != nil { // planning takes a graph's inputs
		return "", err
	}
	return l.fitting(have, partOf(where))
}
