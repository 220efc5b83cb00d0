//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
	"retinago/engine/enginetest"
)

// halves are the precisions of 16 bits.
var halves = []engine.Precision{engine.BF16, engine.FP16}

// largest is the largest difference relative to the largest magnitude of want, and where it is. NaN equals NaN.
func largest(got, want []float32) (worst float64, at int) {
	var scale float64
	for _, w := range want {
		if v := math.Abs(float64(w)); v == v && !math.IsInf(v, 0) {
			scale = max(scale, v)
		}
	}
	for i, w := range want {
		d := math.Abs(float64(got[i])-float64(w)) / (scale + 1e-30)
		switch {
		case got[i] == w || got[i] != got[i] && w != w:
			d = 0
		case d != d:
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	return worst, at
}

// Conversion rounds to the nearest, ties to even: every power of two, subnormal numbers, ties, overflow, infinities, NaN, and back to
// float32 without a change.
func TestConvert(t *testing.T) {
	var v []float32
	r := rand.New(rand.NewPCG(1, 2))
	for exp := range 256 {
		for _, low := range []uint32{0, 1, 0x7fffff, 0x400000, 0x8000, 0x18000, 0x8001, 0x17fff, 0x1000, 0x3000, 0x1001, 0x2fff, r.Uint32() & 0x7fffff, r.Uint32() & 0x7fffff} {
			b := uint32(exp)<<23 | low
			v = append(v, math.Float32frombits(b), math.Float32frombits(b|1<<31))
		}
	}
	v = append(v, 65504, 65519.99, 65520, -65520, 1e6)
	for _, p := range halves {
		e := startAs(t, p)
		x, again := put(t, e, v, len(v)), put(t, e, make([]float32, len(v)), len(v))
		h, err := e.New(engine.Half, len(v))
		must(t, err)
		must(t, e.Convert(h, x))
		must(t, e.Convert(again, h))
		for i, got := range get(t, e, again) {
			if want := rounded(v[i], p); math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
				t.Errorf("%v of %g (%#x) is %g, want %g", p, v[i], math.Float32bits(v[i]), got, want)
			}
		}
	}
}

// Every kernel of activations gives in 16 bits what the CPU engine gives of the same values, within 1e-2 of the largest.
func TestKernelsIn16Bits(t *testing.T) {
	c := startCPU(t)
	for threads := range blocks() {
		for _, p := range halves {
			for _, k := range enginetest.Cases() {
				t.Run(fmt.Sprintf("%v, %d threads/%s", p, threads, k.Name), func(t *testing.T) {
					want, got := k.Run(t, onCPU(t, c, p)), k.Run(t, onGPU(t, startAs(t, p)))
					tolerance := 1e-2
					if strings.HasSuffix(k.Name, "L") { // a cap lets the largest be less than what was rounded
						tolerance = 2e-2
					}
					for i := range want {
						if d, at := largest(got[i], want[i]); d > tolerance {
							t.Errorf("result %d: value %d of %d is %g, the CPU engine has %g: %.2g of the largest", i, at, len(want[i]), got[i][at], want[i][at], d)
						}
					}
				})
			}
		}
	}
}

// cuDNN and cuBLASLt are asked for float32, TF32, or products of 16 bits that are summed in float32.
func TestArithmetic(t *testing.T) {
	onHost(t)
	for p, want := range map[engine.Precision][2]int{engine.Float32: {3, 68}, engine.TF32: {0, 77}, engine.BF16: {1, 68}, engine.FP16: {1, 68}} {
		e := startAs(t, p)
		activation := func(shape ...int) *tensor.Dense {
			d, err := e.New(p.Activations(), shape...)
			must(t, err)
			return d
		}
		w, x := put(t, e, like(4, 2), 2, 2, 1, 1), activation(1, 2, 2, 2)
		must(t, e.Conv(activation(1, 1, 1, 2), x, w, nil, nil, nil, engine.ConvParams{Stride: 2}))
		must(t, e.Conv(activation(1, 2, 2, 2), x, w, nil, nil, nil, engine.ConvParams{Stride: 1}))
		if _, compute := kernels.Products(); kernels.MathType() != want[0] || compute != want[1] {
			t.Errorf("%v: cuDNN is asked for arithmetic %d, cuBLASLt for %d, want %v", p, kernels.MathType(), compute, want)
		}
	}
}

// apart is how far vectors are, relative to the length of want.
func apart(got, want []float32) float64 {
	var d, length float64
	for i, w := range want {
		d += math.Pow(float64(got[i])-float64(w), 2)
		length += math.Pow(float64(w), 2)
	}
	return math.Sqrt(d / (length + 1e-12))
}

// Whole models come to the CPU engine's numbers but for what 16 bits round: outputs, losses, and the gradient of a step as one vector,
// where norms do not magnify.
func TestModelsIn16Bits(t *testing.T) {
	c := startCPU(t)
	for name, m := range models {
		cfg := small(m.change)
		want := runModel(t, c, cfg)
		for _, p := range halves {
			t.Run(fmt.Sprintf("%s, %v", name, p), func(t *testing.T) {
				got := runModel(t, startAs(t, p), cfg)
				var gradient, wanted []float32
				for i, name := range want.names {
					if strings.HasPrefix(name, "gradient of ") {
						gradient, wanted = append(gradient, got.values[i]...), append(wanted, want.values[i]...)
						continue
					}
					tolerance := map[string]float64{"first": 4e-2, "losses": 1e-2}[strings.Fields(name)[0]]
					if d := apart(got.values[i], want.values[i]); tolerance > 0 && d > tolerance {
						t.Errorf("%s: %.2g away from the CPU engine's", name, d)
					}
				}
				tolerance := map[engine.Precision]float64{engine.BF16: 8e-2, engine.FP16: 2e-2}[p]
				if d := apart(gradient, wanted); m.magnified == 0 && d > tolerance {
					t.Errorf("gradient: %.2g away from the CPU engine's", d)
				}
			})
		}
	}
}

// Activations of 16 bits are planned with 16 bits.
func TestPlanOf16Bits(t *testing.T) {
	bytes := map[engine.Precision]int64{}
	cfg := small(func(c *config.Config) { c.Model.BackboneWidth, c.Model.FPNWidth = 32, 64 })
	for _, p := range []engine.Precision{engine.Float32, engine.BF16} {
		m, err := detector.New(cfg.Model, startAs(t, p), 3)
		must(t, err)
		plan, err := m.InferPlan(8, 256, 256)
		must(t, err)
		bytes[p] = plan.Bytes()
		must(t, m.Close())
	}
	if share := float64(bytes[engine.BF16]) / float64(bytes[engine.Float32]); share > .65 {
		t.Errorf("%d bytes in bf16, %d in float32", bytes[engine.BF16], bytes[engine.Float32])
	}
}
