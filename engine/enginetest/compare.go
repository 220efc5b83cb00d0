package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Compare tests that two engines give the same: shapes of all kinds, ties, NaN, far logits, all labels. Results may differ by tolerance
// times the root mean square of reference's. open returns a fresh engine for each case.
func Compare(t *testing.T, reference engine.Engine, open Open, tolerance float64) {
	for _, k := range Cases() {
		t.Run(k.Name, func(t *testing.T) {
			e := open(t)
			want, got := k.Run(t, reference), k.Run(t, e)
			for i := range want {
				if d, at := apart(got[i], want[i]); d > tolerance {
					t.Errorf("result %d: value %d of %d is %g, the reference has %g: %.2g of the root mean square", i, at, len(want[i]), got[i][at], want[i][at], d)
				}
			}
		})
	}
}

// Case is a computation on any engine; Run returns all that was written.
type Case struct {
	Name string
	Run  func(t testing.TB, e engine.Engine) [][]float32
}

// Cases are computations with every kernel.
func Cases() []Case {
	var all []Case
	add := func(name string, run func(t testing.TB, e engine.Engine) [][]float32) {
		all = append(all, Case{name, run})
	}
	nan := float32(math.NaN())

	for _, n := range []int{1, 7, 255, 257, 5000} {
		x, y := drawn(1, n), drawn(2, n)
		x[n/2] = nan
		for _, r := range []engine.Activation{engine.ReLU, engine.LeakyReLU(.1), {Kind: engine.Rectified, Cap: .7}, {Kind: engine.Rectified, Slope: .1, Cap: .7}} {
			add(fmt.Sprint("relu ", n, r), func(t testing.TB, e engine.Engine) [][]float32 {
				a, b, c, dx := place(t, e, x, n), place(t, e, y, n), place(t, e, filled(n, 7), n), place(t, e, filled(n, 7), n)
				must(t, e.Activate(c, a, r))
				must(t, e.ActivateGrad(dx, b, c, r))
				return [][]float32{get(t, e, c), get(t, e, dx)}
			})
		}
		add(fmt.Sprint("add ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			a, b, c, d := place(t, e, x, n), place(t, e, y, n), place(t, e, filled(n, 7), n), place(t, e, filled(n, 7), n)
			must(t, e.Sum(c, a, b, engine.ReLU))
			must(t, e.Sum(d, a, b, engine.None))
			return [][]float32{get(t, e, c), get(t, e, d)}
		})
		add(fmt.Sprint("optimisers ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			var out [][]float32
			for _, nesterov := range []bool{false, true} {
				w, m, g := place(t, e, y, n), place(t, e, filled(n, .1), n), place(t, e, drawn(3, n), n)
				must(t, e.SGD(w, m, g, engine.SGDParams{LR: .1, Momentum: .9, Decay: 1e-2, Scale: .5, Nesterov: nesterov}))
				out = append(out, get(t, e, w), get(t, e, m))
			}
			for _, decoupled := range []bool{false, true} {
				w, m, v, g := place(t, e, y, n), place(t, e, filled(n, .1), n), place(t, e, filled(n, .2), n), place(t, e, drawn(3, n), n)
				must(t, e.Adam(w, m, v, g, engine.AdamParams{LR: .1, Beta1: .9, Beta2: .99, Eps: 1e-8, Decay: 1e-2, Scale: .5, Step: 3, Decoupled: decoupled}))
				must(t, e.Lerp(m, w, .25))
				out = append(out, get(t, e, w), get(t, e, m), get(t, e, v))
			}
			s, err := e.SumSquares(place(t, e, y, n), place(t, e, drawn(4, 3), 3))
			must(t, err)
			return append(out, []float32{float32(s)})
		})
	}

	for _, s := range [][5]int{{1, 1, 1, 1, 1}, {2, 5, 7, 3, 1}, {1, 40, 33, 36, 4}, {2, 16, 12, 260, 4}, {3, 9, 9, 64, 32}} {
		n, h, w, c, groups := s[0], s[1], s[2], s[3], s[4]
		size := n * h * w * c
		x, dy := drawn(5, size), drawn(6, size)
		for i := range x {
			x[i] += 3
		}
		add(fmt.Sprint("bias gradient ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			db := place(t, e, filled(c, 7), c)
			must(t, e.BiasGrad(db, place(t, e, dy, n, h, w, c)))
			return [][]float32{get(t, e, db)}
		})
		add(fmt.Sprint("folded norm ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			scale, shift := place(t, e, filled(c, 7), c), place(t, e, filled(c, 7), c)
			must(t, e.Fold(scale, shift, place(t, e, drawn(7, c), c), place(t, e, drawn(8, c), c), place(t, e, drawn(9, c), c), place(t, e, filled(c, 2), c), 1e-3))
			return [][]float32{get(t, e, scale), get(t, e, shift)}
		})
		for _, relu := range []bool{false, true} {
			add(fmt.Sprint("norms ", s, relu), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, dyd, y, dx := place(t, e, x, n, h, w, c), place(t, e, dy, n, h, w, c), place(t, e, filled(size, 7), n, h, w, c), place(t, e, filled(size, 7), n, h, w, c)
				gamma, beta, dp := place(t, e, drawn(7, c), c), place(t, e, drawn(8, c), c), place(t, e, filled(2*c, 7), 2, c)
				mean, variance, stats := place(t, e, drawn(9, c), c), place(t, e, filled(c, 2), c), place(t, e, filled(2*c, 7), 2, c)
				p := engine.NormParams{Eps: 1e-3, Momentum: .1, Groups: groups, Activation: map[bool]engine.Activation{true: engine.ReLU}[relu]}
				must(t, e.BatchNorm(y, stats, mean, variance, xd, gamma, beta, p))
				must(t, e.BatchNormParamGrad(dp, dyd, y, xd, stats, p))
				must(t, e.BatchNormGrad(dx, dyd, y, xd, gamma, stats, dp, p))
				out := [][]float32{get(t, e, y), get(t, e, stats), get(t, e, mean), get(t, e, variance), get(t, e, dp), get(t, e, dx)}
				byImage := place(t, e, filled(2*n*groups, 7), 2, n, groups)
				must(t, e.GroupNorm(y, byImage, xd, gamma, beta, p))
				must(t, e.GroupNormParamGrad(dp, dyd, y, xd, byImage, p))
				must(t, e.GroupNormGrad(dx, dyd, y, xd, gamma, byImage, p))
				return append(out, get(t, e, y), get(t, e, byImage), get(t, e, dp), get(t, e, dx))
			})
		}
	}

	for _, p := range []engine.PoolParams{{Kernel: 3, Stride: 2, Pad: 1}, {Kernel: 2, Stride: 2}, {Kernel: 5, Stride: 1, Pad: 2}} {
		for _, s := range [][4]int{{1, 5, 5, 1}, {2, 13, 8, 5}} {
			n, h, w, c := s[0], s[1], s[2], s[3]
			oh, ow := (h+2*p.Pad-p.Kernel)/p.Stride+1, (w+2*p.Pad-p.Kernel)/p.Stride+1
			x := drawn(10, n*h*w*c)
			for i := range x {
				x[i] = float32(math.Round(float64(x[i]) * 2)) // ties
			}
			add(fmt.Sprint("max-pool ", p, s), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, y, dx := place(t, e, x, n, h, w, c), place(t, e, filled(n*oh*ow*c, 7), n, oh, ow, c), place(t, e, filled(n*h*w*c, 7), n, h, w, c)
				must(t, e.MaxPool(y, xd, p))
				must(t, e.MaxPoolGrad(dx, place(t, e, drawn(11, n*oh*ow*c), n, oh, ow, c), xd, y, p))
				return [][]float32{get(t, e, y), get(t, e, dx)}
			})
		}
	}

	for _, s := range [][6]int{{1, 1, 1, 1, 1, 3}, {2, 7, 10, 4, 5, 3}, {1, 16, 8, 8, 4, 16}} {
		n, h, w, th, tw, c := s[0], s[1], s[2], s[3], s[4], s[5]
		add(fmt.Sprint("upsampling ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			y, top, dtop := place(t, e, filled(n*h*w*c, 7), n, h, w, c), place(t, e, drawn(12, n*th*tw*c), n, th, tw, c), place(t, e, filled(n*th*tw*c, 7), n, th, tw, c)
			must(t, e.UpsampleAdd(y, top, place(t, e, drawn(13, n*h*w*c), n, h, w, c)))
			must(t, e.UpsampleGrad(dtop, y))
			return [][]float32{get(t, e, y), get(t, e, dtop)}
		})
	}

	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: -1, Gamma: 2}, {Alpha: .25}, {Alpha: .6, Gamma: 1.5}} {
		for _, s := range [][3]int{{1, 1, 1}, {2, 7, 3}, {2, 700, 5}} {
			n, a, k := s[0], s[1], s[2]
			x, labels := drawn(14, n*a*k), make([]int32, n*a)
			for i := range x {
				x[i] *= 4
			}
			for i, v := range []float32{1e4, -1e4, 88, -88, 0} {
				x[i*(len(x)-1)/5] = v
			}
			for i := range labels {
				labels[i] = int32(i%(k+2)) - 2
			}
			add(fmt.Sprint("losses ", p, s), func(t testing.TB, e engine.Engine) [][]float32 {
				l, norm, up := place(t, e, labels, n, a), place(t, e, []float32{.5, 2}[:n], n), place(t, e, []float32{1.5}, 1)
				loss, grad, xd := place(t, e, []float32{7}, 1), place(t, e, filled(len(x), 7), n, a, k), place(t, e, x, n, a, k)
				must(t, e.FocalLoss(loss, xd, l, norm, p))
				must(t, e.FocalLossGrad(grad, xd, l, norm, up, p))
				out := [][]float32{get(t, e, loss), get(t, e, grad)}
				d, target, dd := place(t, e, drawn(15, n*a*4), n, a, 4), place(t, e, drawn(16, n*a*4), n, a, 4), place(t, e, filled(n*a*4, 7), n, a, 4)
				for _, beta := range []float32{0, .5} {
					must(t, e.BoxLoss(loss, d, target, l, norm, engine.BoxLossParams{Beta: beta}))
					must(t, e.BoxLossGrad(dd, d, target, l, norm, up, engine.BoxLossParams{Beta: beta}))
					out = append(out, get(t, e, loss), get(t, e, dd))
				}
				return out
			})
		}
	}

	for _, s := range [][9]int{{1, 1, 1, 1, 1, 1, 1, 0, 1}, {2, 5, 7, 3, 4, 3, 1, 1, 1}, {1, 15, 9, 20, 12, 3, 2, 1, 1}, {2, 14, 10, 16, 8, 1, 1, 0, 1}, {2, 15, 9, 16, 8, 1, 2, 0, 1},
		{1, 9, 9, 3, 16, 7, 2, 3, 1}, {1, 8, 6, 16, 16, 3, 1, 1, 16}, {2, 9, 7, 40, 40, 3, 2, 1, 40}, {1, 7, 8, 12, 12, 5, 1, 2, 12}, {1, 6, 6, 16, 24, 3, 1, 1, 4},
		{2, 7, 6, 128, 128, 3, 1, 1, 32}, {1, 7, 5, 64, 96, 3, 2, 1, 32}, {1, 4, 5, 64, 128, 1, 1, 0, 32}} {
		n, h, w, c, k, r, stride, pad, groups := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
		oh, ow := (h+2*pad-r)/stride+1, (w+2*pad-r)/stride+1
		cg := c / groups
		for _, ends := range []string{"", "b", "s", "r", "bR", "bL", "sbrR", "rL"} {
			add(fmt.Sprint("convolution ", s, ends), func(t testing.TB, e engine.Engine) [][]float32 {
				var scale, bias, res *tensor.Dense
				p := engine.ConvParams{Stride: stride, Pad: pad, Groups: groups}
				for _, end := range ends {
					switch end {
					case 'b':
						bias = place(t, e, drawn(20, k), k)
					case 's':
						scale = place(t, e, drawn(21, k), k)
					case 'r':
						res = place(t, e, drawn(22, n*oh*ow*k), n, oh, ow, k)
					case 'R':
						p.Activation = engine.ReLU
					case 'L':
						p.Activation = engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: 3}
					}
				}
				x, wd, y := place(t, e, drawn(23, n*h*w*c), n, h, w, c), place(t, e, drawn(24, k*cg*r*r), k, cg, r, r), place(t, e, filled(n*oh*ow*k, 7), n, oh, ow, k)
				dx, dw, dy := place(t, e, filled(n*h*w*c, 7), n, h, w, c), place(t, e, filled(k*cg*r*r, 7), k, cg, r, r), place(t, e, drawn(25, n*oh*ow*k), n, oh, ow, k)
				e.WeightsChanged()
				must(t, e.Conv(y, x, wd, scale, bias, res, p))
				must(t, e.ConvData(dx, dy, wd, scale, p))
				must(t, e.ConvWeights(dw, dy, x, scale, p))
				out := [][]float32{get(t, e, y), get(t, e, dx), get(t, e, dw)}
				// Other weights at the same place count after WeightsChanged.
				must(t, e.Upload(wd, drawn(26, k*cg*r*r)))
				e.WeightsChanged()
				must(t, e.Conv(y, x, wd, scale, bias, res, p))
				return append(out, get(t, e, y))
			})
		}
	}
	return all
}

// apart is the largest difference relative to the root mean square of want, and where it is. NaN equals NaN.
func apart(got, want []float32) (worst float64, at int) {
	var square float64
	finite := 0
	for _, w := range want {
		if v := float64(w); v == v && !math.IsInf(v, 0) {
			square += v * v
			finite++
		}
	}
	scale := math.Sqrt(square/float64(max(finite, 1))) + 1e-30
	for i, w := range want {
		g := got[i]
		if g == w || g != g && w != w {
			continue
		}
		d := math.Abs(float64(g)-float64(w)) / scale
		if d != d {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	return worst, at
}

// place makes a tensor of v, floats or labels.
func place(t testing.TB, e engine.Engine, v any, shape ...int) *tensor.Dense {
	t.Helper()
	dt := tensor.Float32
	if _, ok := v.([]int32); ok {
		dt = tensor.Int32
	}
	d := empty(t, e, dt, shape...)
	must(t, e.Upload(d, v))
	return d
}

func drawn(seed uint64, n int) []float32 { return normal(rand.New(rand.NewPCG(seed, 7)), n) }
