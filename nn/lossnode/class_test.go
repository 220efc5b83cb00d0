package lossnode

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/box"
	"retinago/engine"
	"retinago/loss"
)

// A batch of two images on two levels with 3 and 2 anchors and three classes.
var (
	levelAnchors = []int{3, 2}
	grid         = []box.Box{{X2: 10, Y2: 10}, {X1: 1, X2: 11, Y2: 10}, {X1: 50, Y1: 50, X2: 60, Y2: 80}, {X2: 40, Y2: 40}, {X1: 20, X2: 60, Y2: 40}}
	factors      = []float32{.5, .125}
)

const levelClasses = 3

// pyramid is what losses over levels read, level by level.
type pyramid struct {
	logits, deltas, targets [][]float32
	labels                  [][]int32
}

func newPyramid() pyramid {
	r := rand.New(rand.NewPCG(3, 4))
	values := func(n int, scale float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(math.Round(scale*r.NormFloat64()*1024) / 1024) // so that steps are exact
		}
		return v
	}
	var p pyramid
	for _, a := range levelAnchors {
		p.logits = append(p.logits, values(2*a*levelClasses, 2))
		p.deltas, p.targets = append(p.deltas, values(2*a*4, .3)), append(p.targets, values(2*a*4, .3))
		labels := make([]int32, 2*a)
		for i := range labels {
			labels[i] = int32(r.IntN(levelClasses+2) - 2)
		}
		p.labels = append(p.labels, labels)
	}
	return p
}

// picture returns logits, labels, deltas and targets of an image through its levels.
func (p pyramid) picture(i int) (logits []float32, labels []int32, deltas, targets []float32) {
	for l, a := range levelAnchors {
		k := a * levelClasses
		logits, labels = append(logits, p.logits[l][i*k:(i+1)*k]...), append(labels, p.labels[l][i*a:(i+1)*a]...)
		deltas, targets = append(deltas, p.deltas[l][4*i*a:4*(i+1)*a]...), append(targets, p.targets[l][4*i*a:4*(i+1)*a]...)
	}
	return logits, labels, deltas, targets
}

// levelNodes are the same in a graph.
type levelNodes struct {
	logits, labels, deltas, targets []*G.Node
	norm                            *G.Node
}

// eval returns up times the sum of the losses that build adds, and its gradients by the nodes that it names.
func (p pyramid) eval(t *testing.T, up float32, build func(in levelNodes) (losses, by G.Nodes, err error)) (float64, [][]float32) {
	t.Helper()
	return p.evalOn(t, whole, up, build)
}

// evalOn is eval on what as makes of the engine.
func (p pyramid) evalOn(t *testing.T, as func(engine.Engine) engine.Engine, up float32, build func(in levelNodes) (losses, by G.Nodes, err error)) (float64, [][]float32) {
	t.Helper()
	g := newGraph(t, as)
	input := g.input
	in := levelNodes{norm: input("norm", factors, tensor.Float32, 2)}
	for l, a := range levelAnchors {
		in.logits = append(in.logits, input(fmt.Sprint("logits", l), p.logits[l], tensor.Float32, 2, 1, 1, a*levelClasses))
		in.labels = append(in.labels, input(fmt.Sprint("labels", l), p.labels[l], tensor.Int32, 2, a))
		in.deltas = append(in.deltas, input(fmt.Sprint("deltas", l), p.deltas[l], tensor.Float32, 2, 1, 1, a*4))
		in.targets = append(in.targets, input(fmt.Sprint("targets", l), p.targets[l], tensor.Float32, 2, a, 4))
	}
	losses, by, err := build(in)
	if err != nil {
		t.Fatal(err)
	}
	return g.run(up, losses, by)
}

// On the levels a loss is the plain one of each image, times its factor, and so is its gradient; mining sees the batch.
func TestLevels(t *testing.T) {
	p := newPyramid()
	var quality []float32
	for i := range 2 {
		_, labels, deltas, targets := p.picture(i)
		for j, a := range grid {
			q := float32(0)
			if labels[j] >= 0 {
				c := anchors.NewCoder()
				q = c.Decode(a, [4]float32(deltas[4*j:])).IoU(c.Decode(a, [4]float32(targets[4*j:])))
			}
			quality = append(quality, q)
		}
	}
	for name, l := range map[string]Class{
		"focal":         {Loss: loss.Focal{Alpha: .25, Gamma: 2}},
		"focal star":    {Loss: loss.FocalStar{Alpha: -1, Gamma: 2, Beta: 1}},
		"softmax":       {Loss: loss.Softmax{}},
		"OHEM":          {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 4}},
		"quality focal": {Quality: loss.QualityFocal{Beta: 2}, Anchors: grid},
		"varifocal":     {Quality: loss.Varifocal{Alpha: .75, Gamma: 2}, Anchors: grid},
		"weights":       {Loss: loss.Softmax{Classes: []float64{2, .5}}},
		"smoothed":      {Loss: loss.Softmax{Smoothing: .1}},
	} {
		const up = .25
		got, grads := p.eval(t, up, func(in levelNodes) (G.Nodes, G.Nodes, error) {
			n, err := l.Node(in.logits, in.labels, in.deltas, in.targets, in.norm)
			return G.Nodes{n}, in.logits, err
		})
		// The whole batch image by image, as the plain losses take it.
		var logits, want []float32
		var labels []int32
		sum := 0.0
		for i := range 2 {
			x, y, _, _ := p.picture(i)
			logits, labels = append(logits, x...), append(labels, y...)
		}
		rows := len(grid)
		if o, ok := l.Loss.(loss.OHEM); ok {
			want = make([]float32, len(logits))
			o.Eval(want, logits, labels)
			var each []float64
			for i := range labels {
				each = append(each, o.Class.Eval(nil, logits[3*i:3*i+3], labels[i:i+1]))
			}
			for _, i := range o.Rows(each, labels) {
				sum += float64(factors[i/rows]) * each[i]
			}
		} else {
			for i := range 2 {
				g := make([]float32, 3*rows)
				x, y := logits[3*i*rows:3*(i+1)*rows], labels[i*rows:(i+1)*rows]
				if l.Quality != nil {
					sum += float64(factors[i]) * l.Quality.Eval(g, x, y, quality[i*rows:(i+1)*rows])
				} else {
					sum += float64(factors[i]) * l.Loss.Eval(g, x, y)
				}
				want = append(want, g...)
			}
		}
		if math.Abs(got-up*sum) > 1e-6*sum {
			t.Errorf("%s: %g, want %g", name, got, up*sum)
		}
		at := 0
		for i := range 2 {
			for level, a := range levelAnchors {
				for j := range a * levelClasses {
					g, w := grads[level][i*a*levelClasses+j], up*factors[i]*want[at]
					if math.Abs(float64(g-w)) > 1e-7 {
						t.Errorf("%s: gradient %d of picture %d on level %d is %g, want %g", name, j, i, level, g, w)
					}
					at++
				}
			}
		}
	}
}

// A run of the graph takes the batch, all levels at once, into the state of a loss that has one, and computes the plain loss.
func TestLevelsAdaptive(t *testing.T) {
	p := newPyramid()
	rows := len(grid)
	var logits []float32
	var labels []int32
	for i := range 2 {
		x, y, _, _ := p.picture(i)
		logits, labels = append(logits, x...), append(labels, y...)
	}
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		a, ok := k.Class(loss.DefaultParams()).(loss.Adaptive)
		if !ok {
			continue
		}
		got, grads := p.eval(t, .25, func(in levelNodes) (G.Nodes, G.Nodes, error) {
			n, err := Class{Loss: a}.Node(in.logits, in.labels, nil, nil, in.norm)
			return G.Nodes{n}, in.logits, err
		})
		plain, want := k.Class(loss.DefaultParams()).(loss.Adaptive), make([]float32, len(logits))
		// The graph runs more than once: only the state of its last run is compared with as many runs of the plain loss.
		var sum float64
		for runs := 0; !slices.Equal(plain.State(), a.State()); runs++ {
			if runs == 10 {
				t.Fatalf("%s: the state %v is that of no number of runs", k.Name, a.State())
			}
			sum = plain.Train(want, logits, labels, func(row int) float64 { return float64(factors[row/rows]) })
		}
		if math.Abs(got-.25*sum) > 1e-6*sum {
			t.Errorf("%s: %g, want %g", k.Name, got, .25*sum)
		}
		at := 0
		for i := range 2 {
			for level, a := range levelAnchors {
				for j := range a * levelClasses {
					if g, w := grads[level][i*a*levelClasses+j], .25*factors[i]*want[at]; math.Abs(float64(g-w)) > 1e-7 {
						t.Errorf("%s: gradient %d of picture %d on level %d is %g, want %g", k.Name, j, i, level, g, w)
					}
					at++
				}
			}
		}
	}
}

// NMS passes over an anchor that overlaps a harder one of the same image only.
func TestLevelsMining(t *testing.T) {
	p := newPyramid()
	for l := range p.labels {
		for i := range p.labels[l] {
			p.labels[l][i] = loss.Background
		}
		clear(p.logits[l])
	}
	// Both anchors of each pair overlap by .82 and .33; the first of the pair is harder.
	p.logits[0][0], p.logits[0][3], p.logits[0][3*levelClasses] = 3, 2, 1
	l := Class{Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 3}, Anchors: grid, NMS: .7}
	_, grads := p.eval(t, 1, func(in levelNodes) (G.Nodes, G.Nodes, error) {
		n, err := l.Node(in.logits, in.labels, nil, nil, in.norm)
		return G.Nodes{n}, in.logits, err
	})
	counts := func(level, picture, anchor int) bool {
		return grads[level][(picture*levelAnchors[level]+anchor)*levelClasses] != 0
	}
	if !counts(0, 0, 0) || counts(0, 0, 1) || !counts(0, 1, 0) || !counts(0, 0, 2) {
		t.Errorf("gradients %v", grads)
	}
}

// Overlaps of boxes are differentiated through the decoding.
func TestOverlapGradient(t *testing.T) {
	p := newPyramid()
	for _, level := range p.labels {
		for i := range level {
			if i%3 != 1 {
				level[i] = 1
			}
		}
	}
	p.deltas[1][2] = 9 // beyond the bound of the coder: flat
	for name, b := range map[string]loss.Box{"IoU": loss.IoU{}, "GIoU": loss.GIoU{}, "DIoU": loss.DIoU{}} {
		eval := func() (float64, [][]float32) {
			return p.eval(t, 1, func(in levelNodes) (losses, by G.Nodes, err error) {
				for l, at := 0, 0; l < len(levelAnchors); l++ {
					o := Boxes{Loss: b, Anchors: grid[at : at+levelAnchors[l]]}
					at += levelAnchors[l]
					n, err := o.Node(in.deltas[l], in.targets[l], in.labels[l], in.norm)
					if err != nil {
						return nil, nil, err
					}
					losses = append(losses, n)
				}
				return losses, in.deltas, nil
			})
		}
		_, grads := eval()
		const h = 1. / 256
		for l := range p.deltas {
			for i, x := range p.deltas[l] {
				p.deltas[l][i] = x + h
				up, _ := eval()
				p.deltas[l][i] = x - h
				down, _ := eval()
				p.deltas[l][i] = x
				want := (up - down) / (2 * h)
				if g := float64(grads[l][i]); math.Abs(g-want) > 2e-3*math.Max(.1, math.Abs(want)) {
					t.Errorf("%s: gradient of delta %d on level %d is %g, want %g", name, i, l, g, want)
				}
				if p.labels[l][i/4] < 0 && grads[l][i] != 0 {
					t.Errorf("%s: an anchor without an object has the gradient %g", name, grads[l][i])
				}
			}
		}
	}
}
