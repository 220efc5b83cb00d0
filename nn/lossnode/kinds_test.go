package lossnode

import (
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/loss"
)

// binaryParams are settings of the table's binary losses: exponents, usual and others, smoothed labels, weights and alphas of three classes.
func binaryParams() (out []loss.Params) {
	for _, gamma := range []float64{0, .5, 2, 5} {
		for _, change := range []func(*loss.Params){
			func(*loss.Params) {},
			func(p *loss.Params) { p.Smoothing = .1 },
			func(p *loss.Params) { p.ClassWeights = "3,0.25,1" },
			func(p *loss.Params) { p.ClassAlphas = []float64{.25, .5, .9} },
			func(p *loss.Params) { p.Smoothing, p.ClassWeights, p.ClassAlphas = .2, "0,2,1", []float64{0, 1, .6} },
		} {
			p := loss.DefaultParams()
			p.Gamma = gamma
			change(&p)
			out = append(out, p)
		}
	}
	return out
}

// The engine's kernel of every binary loss of the table comes to the loss on plain slices.
func TestBinaryKinds(t *testing.T) {
	logits := []float32{-1e4, -30, -3, -.5, 0, .5, 3, 30, 1e4, 2, -2, 1}
	labels := []int32{0, -1, 2, 1}
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		for _, p := range binaryParams() {
			b, ok := k.Class(p).(loss.Binary)
			if !ok {
				break
			}
			want := make([]float32, len(logits))
			sum := b.Eval(want, logits, labels)
			got, grad := run(t, logits, labels, func(x, labels, norm *G.Node) (*G.Node, error) { return Binary(b, x, labels, norm) })
			if math.Abs(got-sum) > 1e-5*math.Abs(sum) {
				t.Errorf("%s, %+v: %g, want %g", k.Name, p, got, sum)
			}
			for i, w := range want {
				if d := math.Abs(float64(grad[i] - w)); d > 3e-6*math.Max(1, math.Abs(float64(w))) {
					t.Errorf("%s, %+v: gradient of logit %g is %g, want %g", k.Name, p, logits[i], grad[i], w)
				}
			}
		}
	}
}

// Factors of other classes than the logits have are an error of the graph.
func TestColumnsFit(t *testing.T) {
	p := loss.DefaultParams()
	p.ClassWeights = "1,2"
	k, err := loss.Find("focal")
	if err != nil {
		t.Fatal(err)
	}
	g := newGraph(t, whole)
	_, err = Binary(k.Class(p).(loss.Binary), g.input("x", make([]float32, 3), tensor.Float32, 1, 1, 1, 3),
		g.input("labels", []int32{0}, tensor.Int32, 1, 1), g.input("norm", []float32{1}, tensor.Float32, 1))
	if err == nil || !strings.Contains(err.Error(), "2 factors of classes") {
		t.Errorf("factors of two classes for three: %v", err)
	}
}
