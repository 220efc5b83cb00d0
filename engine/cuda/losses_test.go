//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
	"retinago/nn/lossnode"
)

// pyramid is what losses read: two images on two levels.
type pyramid struct {
	k                       int
	grid                    []box.Box
	logits, deltas, targets [2][]float32
	labels                  [2][]int32
}

var pyramidRows = [2]int{200, 9}

func newPyramid(k int) pyramid {
	p := pyramid{k: k}
	sides := normal(41, 4*(pyramidRows[0]+pyramidRows[1]))
	for i := 0; i < len(sides); i += 4 {
		x, y := 300+100*sides[i], 200+100*sides[i+1]
		p.grid = append(p.grid, box.Box{X1: x, Y1: y, X2: x + 20 + 10*float32(math.Abs(float64(sides[i+2]))), Y2: y + 30 + 5*float32(math.Abs(float64(sides[i+3])))})
	}
	for l, a := range pyramidRows {
		p.logits[l], p.deltas[l], p.targets[l] = normal(uint64(42+l), 2*a*k), normal(uint64(44+l), 2*a*4), normal(uint64(46+l), 2*a*4)
		for i := range p.logits[l] {
			p.logits[l][i] *= 4
		}
		for i := range p.deltas[l] {
			p.deltas[l][i] *= .2
			p.targets[l][i] *= .2
		}
		p.labels[l] = make([]int32, 2*a)
		for i := range p.labels[l] {
			p.labels[l][i] = int32(i%(k+2)) - 2
		}
	}
	return p
}

// extremes puts far logits and boxes on rows with an object.
func (p pyramid) extremes() pyramid {
	for i, v := range []float32{1e4, -1e4, 88, -88, 0} {
		p.logits[0][i*(len(p.logits[0])-1)/5] = v
	}
	for i, d := range [][2][4]float32{
		{{.1, .2, .3, .4}, {.1, .2, .3, .4}},         // the same
		{{5, 5, 0, 0}, {-5, 0, 0, 0}},                // apart
		{{0, 0, 9, 0}, {0, 0, 0, 0}},                 // beyond the coder's bound
		{{0, 0, 0, -1000}, {0, 0, 0, 0}},             // flat
		{{.2, 0, 0, 0}, {0, 0, -1000, 0}},            // a flat target
		{{0, 0, -1000, -1000}, {0, 0, -1000, -1000}}, // points
		{{1e4, 0, 0, 0}, {0, 0, 0, 0}},
		{{0, 0, 1, 1}, {0, 0, 0, 0}}, // around the target
		{{0, 0, -1, -1}, {0, 0, 0, 0}},
	} {
		copy(p.deltas[1][4*i:], d[0][:])
		copy(p.targets[1][4*i:], d[1][:])
		p.labels[1][i] = 0
	}
	return p
}

// ties makes every row equal many others.
func (p pyramid) ties() pyramid {
	for _, x := range p.logits {
		for i := range x {
			x[i] = x[i%(4*p.k*(p.k+2))]
		}
	}
	return p
}

// lossNodes are the losses of a graph and what they are differentiated by.
type lossNodes func(logits, labels, deltas, targets []*G.Node, norm *G.Node) (losses, by G.Nodes, err error)

// run returns the losses and their gradients on an engine.
func (p pyramid) run(t testing.TB, e engine.Engine, build lossNodes) (out [][]float32) {
	b := nn.NewBuilder(e, nn.Training, nn.NewParams(e, 1), nn.NewFolded(e))
	var made []*tensor.Dense
	input := func(name string, v any, shape ...int) *G.Node {
		made = append(made, put(t, e, v, shape...))
		return b.Input(name, made[len(made)-1])
	}
	defer func() { e.Release(made...) }()
	norm, up := input("norm", []float32{.5, 2}, 2), input("up", []float32{1.5}, 1)
	var logits, labels, deltas, targets []*G.Node
	for l, a := range pyramidRows {
		logits, labels = append(logits, input(fmt.Sprint("logits", l), p.logits[l], 2, a, 1, p.k)), append(labels, input(fmt.Sprint("labels", l), p.labels[l], 2, a))
		deltas, targets = append(deltas, input(fmt.Sprint("deltas", l), p.deltas[l], 2, a, 1, 4)), append(targets, input(fmt.Sprint("targets", l), p.targets[l], 2, a, 4))
	}
	losses, by, err := build(logits, labels, deltas, targets, norm)
	must(t, err)
	grads, err := G.Backpropagate(losses, slices.Repeat(G.Nodes{up}, len(losses)), by)
	must(t, err)
	arena := nn.NewArena(e)
	m, err := nn.NewMachine(arena, append(slices.Clone(losses), grads...))
	must(t, err)
	defer func() { must(t, m.Close()) }()
	must(t, m.Run())
	for _, n := range append(losses, grads...) {
		out = append(out, get(t, e, n.Value().(*tensor.Dense)))
	}
	return out
}

// overlaps are a box loss's nodes, level by level.
func (p pyramid) overlaps(b loss.Box) lossNodes {
	return func(_, labels, deltas, targets []*G.Node, norm *G.Node) (losses, by G.Nodes, err error) {
		at := 0
		for l, a := range pyramidRows {
			n, err := lossnode.Boxes{Loss: b, Anchors: p.grid[at : at+a]}.Node(deltas[l], targets[l], labels[l], norm)
			if err != nil {
				return nil, nil, err
			}
			losses, at = append(losses, n), at+a
		}
		return losses, deltas, nil
	}
}

// levels is a class loss's node.
func (p pyramid) levels(l lossnode.Class) lossNodes {
	l.Anchors = p.grid
	return func(logits, labels, deltas, targets []*G.Node, norm *G.Node) (losses, by G.Nodes, err error) {
		n, err := l.Node(logits, labels, deltas, targets, norm)
		return G.Nodes{n}, logits, err
	}
}

// same compares each number with the CPU's: within 1e-5 of it, or of floor where it is smaller.
func same(t *testing.T, got, want [][]float32, floor float64) {
	t.Helper()
	for r := range want {
		for i, w := range want[r] {
			g, w := float64(got[r][i]), float64(w)
			if d := math.Abs(g - w); !(d <= 1e-5*max(math.Abs(w), floor)) && !(g != g && w != w) {
				t.Fatalf("result %d: value %d of %d is %g, the host has %g", r, i, len(want[r]), g, w)
			}
		}
	}
}

var (
	boxLosses   = map[string]loss.Box{"IoU": loss.IoU{}, "-log IoU": loss.IoU{Log: true}, "GIoU": loss.GIoU{}, "DIoU": loss.DIoU{}, "CIoU": loss.CIoU{}}
	classLosses = map[string]lossnode.Class{
		"FL*": {Loss: loss.FocalStar{Alpha: .25, Gamma: 2, Beta: 1}}, "FL* without alpha": {Loss: loss.FocalStar{Alpha: -1, Gamma: 4}},
		"softmax":       {Loss: loss.Softmax{}},
		"quality focal": {Quality: loss.QualityFocal{Beta: 2}}, "quality focal, beta 1.5": {Quality: loss.QualityFocal{Beta: 1.5}}, "quality focal, beta 0": {Quality: loss.QualityFocal{}},
		"OHEM":          {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 64}},
		"OHEM with NMS": {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: .25}, Keep: 64}, NMS: .3},
		"OHEM 1:3":      {Loss: loss.OHEM{Class: loss.Focal{Alpha: .25, Gamma: 2}, Keep: 64, Ratio: 3}, NMS: .3},
		"OHEM 1:.5":     {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 20, Ratio: .5}},
		"OHEM of one":   {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 1, Ratio: 3}},
		"OHEM of all":   {Loss: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 450}},
		"varifocal":     {Quality: loss.Varifocal{Alpha: .75, Gamma: 2}}, "varifocal, gamma 1.5": {Quality: loss.Varifocal{Alpha: .75, Gamma: 1.5}},
	}
)

// Losses that the host computes for the CPU engine come to the same on the GPU, value by value, and to the same bits on every run:
// usual rows, far logits and boxes without area, batches without an object, blocks of one thread and of eight.
func TestLosses(t *testing.T) {
	c, e := startCPU(t), start(t)
	for threads := range blocks() {
		for _, k := range []int{1, 3, 40} {
			none := newPyramid(k)
			for l := range none.labels {
				for i := range none.labels[l] {
					none.labels[l][i] = -1 - int32(i%3/2)
				}
			}
			for kind, p := range map[string]pyramid{"usual": newPyramid(k), "extreme": newPyramid(k).extremes(), "ties": newPyramid(k).ties(), "no objects": none} {
				check := func(name string, build lossNodes, floor float64) {
					t.Run(fmt.Sprintf("%d threads/%d classes/%s/%s", threads, k, kind, name), func(t *testing.T) {
						want, got := p.run(t, c, build), p.run(t, e, build)
						same(t, got, want, floor)
						for i, v := range p.run(t, e, build) {
							if !slices.Equal(v, got[i]) {
								t.Errorf("result %d is another one the second time", i)
							}
						}
					})
				}
				for name, b := range boxLosses {
					if k == 3 {
						check(name, p.overlaps(b), 1e-3)
					}
				}
				for name, l := range classLosses {
					if _, mines := l.Loss.(loss.OHEM); mines && k != 3 {
						continue
					}
					check(name, p.levels(l), 1e-2)
				}
			}
		}
	}
}

// A NaN is not lost: a diverged network has a loss that says so.
func TestLossOfNaN(t *testing.T) {
	nan := float32(math.NaN())
	p := newPyramid(3)
	p.logits[1][1], p.deltas[1][2], p.labels[1][0] = nan, nan, 1
	e := start(t)
	for name, build := range map[string]lossNodes{
		"GIoU": p.overlaps(loss.GIoU{}), "CIoU": p.overlaps(loss.CIoU{}), "-log IoU": p.overlaps(loss.IoU{Log: true}), "softmax": p.levels(lossnode.Class{Loss: loss.Softmax{}}),
		"FL*": p.levels(classLosses["FL*"]), "quality focal": p.levels(classLosses["quality focal"]), "varifocal": p.levels(classLosses["varifocal"]),
	} {
		out := p.run(t, e, build)
		last := out[0] // of the class losses, which have one
		if _, boxes := boxLosses[name]; boxes {
			last = out[1]
		}
		if last[0] == last[0] {
			t.Errorf("%s of a NaN is %g", name, last[0])
		}
	}
}
