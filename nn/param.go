package nn

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/memory"
)

// Kind says what a parameter is, for weight decay, freezing and transfer.
type Kind int

const (
	Weight     Kind = iota // of a convolution [O,I,R,S]
	Bias                   // of a convolution [O]
	NormWeight             // gamma [C]
	NormBias               // beta [C]
	Buffer                 // a running statistic [C]: saved, never trained by gradient
)

// Param is a named tensor that outlives the graphs that read it.
type Param struct {
	Name      string
	Shape     []int
	Kind      Kind
	Trainable bool          // what is changed before a training graph is made holds for it
	Stage     int           // of the backbone, from 1; 0 outside of it
	Value     *tensor.Dense // nil after Params.Release
}

// Size is the number of elements.
func (p *Param) Size() int { return tensor.Shape(p.Shape).TotalSize() }

// Init fills a fresh parameter. Each gets its own random stream, so that values do not depend on the order or
// presence of other parameters.
type Init func(r *rand.Rand, shape []int, v []float32)

// Constant fills with c.
func Constant(c float32) Init {
	return func(_ *rand.Rand, _ []int, v []float32) {
		for i := range v {
			v[i] = c
		}
	}
}

// Normal draws from a normal distribution around 0.
func Normal(std float64) Init {
	return func(r *rand.Rand, _ []int, v []float32) {
		for i := range v {
			v[i] = float32(r.NormFloat64() * std)
		}
	}
}

// HeNormal keeps the variance of the gradient through ReLU: std = sqrt(2/fan_out) (He et al. 2015, eq. 14).
func HeNormal(r *rand.Rand, shape []int, v []float32) {
	Normal(math.Sqrt(2/float64(shape[0]*shape[2]*shape[3])))(r, shape, v)
}

// LecunUniform keeps the variance of the activation without ReLU: +-sqrt(3/fan_in).
func LecunUniform(r *rand.Rand, shape []int, v []float32) {
	bound := math.Sqrt(3 / float64(shape[1]*shape[2]*shape[3]))
	for i := range v {
		v[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// Params holds a model's parameters by name, in the order in which they were declared.
type Params struct {
	engine engine.Engine
	seed   uint64
	blank  bool // fresh ones are 0
	expect func(name string, shape []int) error
	list   []*Param
	byName map[string]*Param
}

// NewParams returns an empty set whose fresh parameters are drawn from seed.
func NewParams(e engine.Engine, seed uint64) *Params {
	return &Params{engine: e, seed: seed, byName: map[string]*Param{}}
}

// NewBlankParams returns an empty set whose fresh parameters are 0, to be filled from a file: drawing tens of millions of
// numbers takes longer than reading them.
func NewBlankParams(e engine.Engine) *Params {
	return &Params{engine: e, blank: true, byName: map[string]*Param{}}
}

// Expect makes Declare ask f about every new parameter before it takes memory for it; an error of f is the declaration's.
func (p *Params) Expect(f func(name string, shape []int) error) { p.expect = f }

// All returns the parameters in order of declaration.
func (p *Params) All() []*Param { return p.list }

// Get returns the parameter of that name, nil if there is none.
func (p *Params) Get(name string) *Param { return p.byName[name] }

// Release frees the parameters' memory; graphs that read them must be closed. Names and shapes stay.
func (p *Params) Release() {
	for _, q := range p.list {
		p.engine.Release(q.Value)
		q.Value = nil
	}
}

// Declare returns the parameter of that name, made and initialised when it is new.
func (p *Params) Declare(name string, k Kind, trainable bool, init Init, shape ...int) (*Param, error) {
	if q := p.byName[name]; q != nil {
		if !tensor.Shape(q.Shape).Eq(tensor.Shape(shape)) {
			return nil, fmt.Errorf("nn: parameter %s is %v and is declared again as %v", name, q.Shape, shape)
		}
		return q, nil
	}
	if p.expect != nil {
		if err := p.expect(name, shape); err != nil {
			return nil, err
		}
	}
	v, err := p.engine.New(tensor.Float32, shape...)
	if err != nil {
		return nil, fmt.Errorf("nn: parameter %s: %w", name, err)
	}
	if !p.blank {
		// Drawing takes a second copy for a while. Small ones need no look at what is left.
		if size := 4 * int64(tensor.Shape(shape).TotalSize()); size >= 1<<20 {
			if err := memory.Check("nn: parameter "+name, 2*size, "take a smaller model, or give more memory"); err != nil {
				p.engine.Release(v)
				return nil, err
			}
		}
		h := fnv.New64a()
		h.Write([]byte(name))
		host := make([]float32, tensor.Shape(shape).TotalSize())
		init(rand.New(rand.NewPCG(p.seed, h.Sum64())), shape, host)
		if err := p.engine.Upload(v, host); err != nil {
			p.engine.Release(v)
			return nil, fmt.Errorf("nn: parameter %s: %w", name, err)
		}
	}
	q := &Param{Name: name, Shape: shape, Kind: k, Trainable: trainable && k != Buffer, Value: v}
	p.list = append(p.list, q)
	p.byName[name] = q
	return q, nil
}
