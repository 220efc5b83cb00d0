package nn

import (
	"fmt"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Folded keeps what norms with fixed statistics come to, per channel: scale = gamma/sqrt(var+eps) and
// shift = beta - mean*scale. Convolutions take the two instead of a norm of their own. Update derives them anew.
type Folded struct {
	engine engine.Engine
	byNorm map[string]*foldedNorm
}

type foldedNorm struct {
	from         [4]*Param // gamma, beta, mean, variance
	eps          float32
	scale, shift *tensor.Dense
}

// NewFolded returns an empty set on e.
func NewFolded(e engine.Engine) *Folded { return &Folded{engine: e, byNorm: map[string]*foldedNorm{}} }

// Update derives everything from the parameters as they are now.
func (f *Folded) Update() error {
	for _, d := range f.byNorm {
		if err := f.derive(d); err != nil {
			return err
		}
	}
	f.engine.WeightsChanged()
	return nil
}

// Release frees everything that was derived; graphs that read it must be closed.
func (f *Folded) Release() {
	for _, d := range f.byNorm {
		f.engine.Release(d.scale, d.shift)
	}
	clear(f.byNorm)
}

func (f *Folded) get(gamma, beta, mean, variance *Param, eps float32) (*foldedNorm, error) {
	if d := f.byNorm[gamma.Name]; d != nil {
		return d, nil
	}
	d := &foldedNorm{from: [4]*Param{gamma, beta, mean, variance}, eps: eps}
	var err error
	if d.scale, err = f.engine.New(tensor.Float32, gamma.Shape...); err != nil {
		return nil, err
	}
	if d.shift, err = f.engine.New(tensor.Float32, gamma.Shape...); err != nil {
		f.engine.Release(d.scale)
		return nil, err
	}
	f.byNorm[gamma.Name] = d
	return d, f.derive(d)
}

func (f *Folded) derive(d *foldedNorm) error {
	if err := f.engine.Fold(d.scale, d.shift, d.from[0].Value, d.from[1].Value, d.from[2].Value, d.from[3].Value, d.eps); err != nil {
		return fmt.Errorf("nn: folding %s: %w", d.from[0].Name, err)
	}
	return nil
}
