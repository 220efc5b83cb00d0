package quant

import (
	"errors"
	"fmt"
	"time"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/nn"
)

// Net runs a graph with the operations of its scheme in 8 bits. It is the counterpart of nn.Machine and shares the arena of a model with
// the other networks. It is not for concurrent use.
type Net struct {
	engine    engine.Engine
	arena     *nn.Arena
	images    *value
	steps     []step
	values    []*value       // in the arena
	outputs   map[int]*value // by number
	constants []*tensor.Dense
	free      []func() // the state of float operations
	bytes     int64
	counts    Counts
	watch     func(layer int, d time.Duration) // nil without an observer
}

// Counts holds the numbers of a network's int8 and float convolutions.
type Counts struct{ Int8, Float int }

// step is one call of a kernel.
type step struct {
	name  string   // of its result
	layer nn.Layer // what it does; a conversion's name is its result's, which was there before
	out   *value
	run   func() error
}

// converts reports whether a step converts a result from float to int8 or back.
func (s *step) converts() bool { return s.layer.Op == quantize || s.layer.Op == dequantize }

const quantize, dequantize = "Quantize", "Dequantize"

// conversion is the layer of a step that converts.
func conversion(op, name string, y *value) nn.Layer {
	return nn.Layer{Op: op, Name: name, Shape: y.shape}
}

// value is a result in one form.
type value struct {
	shape  tensor.Shape
	bytes  bool // u8, else float32
	affine engine.Affine
	span   nn.Span
	t      *tensor.Dense
}

// slack is the number of bytes that convolutions may read beyond the end of their input, in whole cache lines.
const slack = 64

// NewNet builds the network of a graph in memory of a. w holds the int8 weights of all networks of one model; with nil the network
// computes in float.
func NewNet(e engine.Engine, a *nn.Arena, g Graph, w *Weights) (*Net, error) {
	n := &Net{engine: e, arena: a, outputs: map[int]*value{}}
	err := n.compile(g, w)
	if err == nil {
		err = a.Join(n)
	}
	if err != nil {
		n.release()
		return nil, err
	}
	return n, nil
}

// Run computes the outputs from the images.
func (n *Net) Run() error { return n.Show(nil) }

// imagesName is what the images are called among results.
const imagesName = "images"

// Show runs the network and calls f with the images and with every operation's result by name, valid until f returns. f may be nil.
func (n *Net) Show(f func(name string, t *tensor.Dense) error) error {
	if err := n.arena.Ready(); err != nil {
		return err
	}
	if f != nil {
		if err := f(imagesName, n.images.t); err != nil {
			return err
		}
	}
	for i, s := range n.steps {
		begin := time.Now()
		if err := s.run(); err != nil {
			return fmt.Errorf("quant: %s: %w", s.name, err)
		}
		if n.watch != nil {
			n.watch(i, time.Since(begin))
		}
		if f != nil && !s.converts() {
			if err := f(s.name, s.out.t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Layers lists the operations of a Run.
func (n *Net) Layers() []nn.Layer {
	out := make([]nn.Layer, len(n.steps))
	for i, s := range n.steps {
		out[i] = s.layer
	}
	return out
}

// Observe makes later runs call f after every operation, with its index in Layers and the time that it took; nil ends it.
func (n *Net) Observe(f func(layer int, d time.Duration)) { n.watch = f }

// Value returns an output of the last run, by its number.
func (n *Net) Value(number int) *tensor.Dense { return n.outputs[number].t }

// Counts returns the numbers of int8 and float convolutions.
func (n *Net) Counts() Counts { return n.counts }

// Bytes returns the memory of the results in bytes.
func (n *Net) Bytes() int64 { return n.bytes }

// Bind places the results in mem.
func (n *Net) Bind(mem tensor.Memory) {
	for _, v := range n.values {
		dt := tensor.Float32
		if v.bytes {
			dt = tensor.Uint8
		}
		v.t = n.engine.At(mem, v.span.Base, dt, v.shape...)
	}
}

// Close frees the memory.
func (n *Net) Close() error {
	if n.arena == nil {
		return nil
	}
	n.release()
	err := n.arena.Leave(n)
	n.arena = nil
	return err
}

// release frees what is not in the arena.
func (n *Net) release() {
	n.engine.Release(n.constants...)
	for _, f := range n.free {
		f()
	}
}

// place sets the place of every value, from the steps that read and write it.
func (n *Net) place() {
	spans := make([]*nn.Span, len(n.values))
	for i, v := range n.values {
		size := int64(v.shape.TotalSize())
		if !v.bytes {
			size *= 4
		}
		v.span.Bytes = (size+slack-1)/slack*slack + slack
		spans[i] = &v.span
	}
	n.bytes = nn.Place(spans)
}

// add appends a step that writes out and reads in.
func (n *Net) add(s step, in ...*value) {
	at := len(n.steps)
	s.out.span.From, s.out.span.To = at, at
	for _, v := range in {
		v.span.To = max(v.span.To, at)
	}
	n.values = append(n.values, s.out)
	n.steps = append(n.steps, s)
}

// constant puts host numbers onto the engine.
func (n *Net) constant(dt tensor.Dtype, host any, length int) (*tensor.Dense, error) {
	t, err := n.engine.New(dt, length)
	if err != nil {
		return nil, err
	}
	n.constants = append(n.constants, t)
	return t, n.engine.Upload(t, host)
}

var errNoInt8 = errors.New("quant: this engine does not compute in 8 bits")
