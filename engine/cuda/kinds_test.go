//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"retinago/backbone"
	"retinago/config"
	"retinago/loss"
	"retinago/nn/lossnode"
)

// Every class loss of the table and every family of backbones trains on the GPU as on the CPU.
func TestKinds(t *testing.T) {
	c := startCPU(t)
	check := func(name string, change func(*config.Config)) {
		t.Run(name, func(t *testing.T) {
			cfg := small(change)
			must(t, cfg.Validate())
			want, got := runModel(t, c, cfg), runModel(t, start(t), cfg)
			for i, name := range want.names {
				near(t, name, got.values[i], want.values[i], 1e-4)
			}
		})
	}
	for _, k := range loss.Kinds {
		check(k.Name, func(c *config.Config) { c.Loss.Kind, c.Model.Background = k.Name, k.Background })
	}
	for _, k := range backbone.Smallest() {
		check(k.Name, func(c *config.Config) {
			c.Model.Backbone = k.Name
			if k.FixedWidth {
				c.Model.BackboneWidth = 0
			}
		})
	}
}

// binary are the nodes of a loss with a kernel per level.
func (p pyramid) binary(l loss.Binary) lossNodes {
	return func(logits, labels, _, _ []*G.Node, norm *G.Node) (losses, by G.Nodes, err error) {
		for i := range logits {
			n, err := lossnode.Binary(l, logits[i], labels[i], norm)
			if err != nil {
				return nil, nil, err
			}
			losses = append(losses, n)
		}
		return losses, logits, nil
	}
}

// binaryParams are settings of the table's binary losses: exponents, smoothed labels, weights and alphas of k classes.
func binaryParams(k int) (out []loss.Params) {
	weights, alphas := make([]string, k), make([]float64, k)
	for c := range k {
		weights[c], alphas[c] = fmt.Sprint(c%3), float64(c+1)/float64(k+1)
	}
	for _, gamma := range []float64{0, .5, 2} {
		plain := loss.DefaultParams()
		plain.Gamma = gamma
		smooth, weighted, both := plain, plain, plain
		smooth.Smoothing = .1
		weighted.ClassWeights = loss.ClassWeights(strings.Join(weights, ","))
		both.Smoothing, both.ClassWeights, both.ClassAlphas = .1, weighted.ClassWeights, alphas
		out = append(out, plain, smooth, weighted, both)
	}
	return out
}

// The kernel of every binary loss of the table comes to the CPU's numbers, and keeps a NaN.
func TestBinaryKinds(t *testing.T) {
	c, e := startCPU(t), start(t)
	for _, k := range loss.Kinds {
		if k.Class == nil {
			continue
		}
		for _, params := range binaryParams(newPyramid(3).k) {
			b, ok := k.Class(params).(loss.Binary)
			if !ok {
				break
			}
			for _, p := range []pyramid{newPyramid(3), newPyramid(3).extremes()} {
				same(t, p.run(t, e, p.binary(b)), p.run(t, c, p.binary(b)), 1e-2)
			}
			p := newPyramid(3)
			p.logits[1][1], p.labels[1][0] = float32(math.NaN()), 1
			if out := p.run(t, e, p.binary(b)); out[1][0] == out[1][0] {
				t.Errorf("%s of a NaN is %g", k.Name, out[1][0])
			}
		}
	}
}
