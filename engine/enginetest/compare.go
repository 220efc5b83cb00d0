package enginetest

import (
	"fmt"
	"math"
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
				if d, at := Apart(got[i], want[i]); d > tolerance {
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
		x, y := Drawn(1, n), Drawn(2, n)
		x[n/2] = nan
		for _, r := range []engine.Activation{engine.ReLU, engine.LeakyReLU(.1), {Kind: engine.Rectified, Cap: .7}, {Kind: engine.Rectified, Slope: .1, Cap: .7}} {
			add(fmt.Sprint("relu ", n, r), func(t testing.TB, e engine.Engine) [][]float32 {
				a, b, c, dx := Put(t, e, x, n), Put(t, e, y, n), Put(t, e, Filled(n, 7), n), Put(t, e, Filled(n, 7), n)
				Must(t, e.Activate(c, a, r))
				Must(t, e.ActivateGrad(dx, b, c, r))
				return [][]float32{Get(t, e, c), Get(t, e, dx)}
			})
		}
		add(fmt.Sprint("add ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			a, b, c, d := Put(t, e, x, n), Put(t, e, y, n), Put(t, e, Filled(n, 7), n), Put(t, e, Filled(n, 7), n)
			Must(t, e.Sum(c, a, b, engine.ReLU))
			Must(t, e.Sum(d, a, b, engine.None))
			return [][]float32{Get(t, e, c), Get(t, e, d)}
		})
		add(fmt.Sprint("optimisers ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			var out [][]float32
			for _, nesterov := range []bool{false, true} {
				w, m, g := Put(t, e, y, n), Put(t, e, Filled(n, .1), n), Put(t, e, Drawn(3, n), n)
				Must(t, e.SGD(w, m, g, engine.SGDParams{LR: .1, Momentum: .9, Decay: 1e-2, Scale: .5, Nesterov: nesterov}))
				out = append(out, Get(t, e, w), Get(t, e, m))
			}
			for _, decoupled := range []bool{false, true} {
				w, m, v, g := Put(t, e, y, n), Put(t, e, Filled(n, .1), n), Put(t, e, Filled(n, .2), n), Put(t, e, Drawn(3, n), n)
				Must(t, e.Adam(w, m, v, g, engine.AdamParams{LR: .1, Beta1: .9, Beta2: .99, Eps: 1e-8, Decay: 1e-2, Scale: .5, Step: 3, Decoupled: decoupled}))
				Must(t, e.Lerp(m, w, .25))
				out = append(out, Get(t, e, w), Get(t, e, m), Get(t, e, v))
			}
			s, err := e.SumSquares(Put(t, e, y, n), Put(t, e, Drawn(4, 3), 3))
			Must(t, err)
			return append(out, []float32{float32(s)})
		})
	}

	for _, s := range [][5]int{{1, 1, 1, 1, 1}, {2, 5, 7, 3, 1}, {1, 40, 33, 36, 4}, {2, 16, 12, 260, 4}, {3, 9, 9, 64, 32}} {
		n, h, w, c, groups := s[0], s[1], s[2], s[3], s[4]
		size := n * h * w * c
		x, dy := Drawn(5, size), Drawn(6, size)
		for i := range x {
			x[i] += 3
		}
		add(fmt.Sprint("bias gradient ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			db := Put(t, e, Filled(c, 7), c)
			Must(t, e.BiasGrad(db, Put(t, e, dy, n, h, w, c)))
			return [][]float32{Get(t, e, db)}
		})
		add(fmt.Sprint("folded norm ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			scale, shift := Put(t, e, Filled(c, 7), c), Put(t, e, Filled(c, 7), c)
			Must(t, e.Fold(scale, shift, Put(t, e, Drawn(7, c), c), Put(t, e, Drawn(8, c), c), Put(t, e, Drawn(9, c), c), Put(t, e, Filled(c, 2), c), 1e-3))
			return [][]float32{Get(t, e, scale), Get(t, e, shift)}
		})
		for _, relu := range []bool{false, true} {
			add(fmt.Sprint("norms ", s, relu), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, dyd, y, dx := Put(t, e, x, n, h, w, c), Put(t, e, dy, n, h, w, c), Put(t, e, Filled(size, 7), n, h, w, c), Put(t, e, Filled(size, 7), n, h, w, c)
				gamma, beta, dp := Put(t, e, Drawn(7, c), c), Put(t, e, Drawn(8, c), c), Put(t, e, Filled(2*c, 7), 2, c)
				mean, variance, stats := Put(t, e, Drawn(9, c), c), Put(t, e, Filled(c, 2), c), Put(t, e, Filled(2*c, 7), 2, c)
				p := engine.NormParams{Eps: 1e-3, Momentum: .1, Groups: groups, Activation: map[bool]engine.Activation{true: engine.ReLU}[relu]}
				Must(t, e.BatchNorm(y, stats, mean, variance, xd, gamma, beta, p))
				Must(t, e.BatchNormParamGrad(dp, dyd, y, xd, stats, p))
				Must(t, e.BatchNormGrad(dx, dyd, y, xd, gamma, stats, dp, p))
				out := [][]float32{Get(t, e, y), Get(t, e, stats), Get(t, e, mean), Get(t, e, variance), Get(t, e, dp), Get(t, e, dx)}
				byImage := Put(t, e, Filled(2*n*groups, 7), 2, n, groups)
				Must(t, e.GroupNorm(y, byImage, xd, gamma, beta, p))
				Must(t, e.GroupNormParamGrad(dp, dyd, y, xd, byImage, p))
				Must(t, e.GroupNormGrad(dx, dyd, y, xd, gamma, byImage, p))
				return append(out, Get(t, e, y), Get(t, e, byImage), Get(t, e, dp), Get(t, e, dx))
			})
		}
	}

	for _, p := range []engine.PoolParams{{Kernel: 3, Stride: 2, Pad: 1}, {Kernel: 2, Stride: 2}, {Kernel: 5, Stride: 1, Pad: 2}} {
		for _, s := range [][4]int{{1, 5, 5, 1}, {2, 13, 8, 5}} {
			n, h, w, c := s[0], s[1], s[2], s[3]
			oh, ow := (h+2*p.Pad-p.Kernel)/p.Stride+1, (w+2*p.Pad-p.Kernel)/p.Stride+1
			x := Drawn(10, n*h*w*c)
			for i := range x {
				x[i] = float32(math.Round(float64(x[i]) * 2)) // ties
			}
			add(fmt.Sprint("max-pool ", p, s), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, y, dx := Put(t, e, x, n, h, w, c), Put(t, e, Filled(n*oh*ow*c, 7), n, oh, ow, c), Put(t, e, Filled(n*h*w*c, 7), n, h, w, c)
				Must(t, e.MaxPool(y, xd, p))
				Must(t, e.MaxPoolGrad(dx, Put(t, e, Drawn(11, n*oh*ow*c), n, oh, ow, c), xd, y, p))
				return [][]float32{Get(t, e, y), Get(t, e, dx)}
			})
		}
	}

	for _, s := range [][6]int{{1, 1, 1, 1, 1, 3}, {2, 7, 10, 4, 5, 3}, {1, 16, 8, 8, 4, 16}} {
		n, h, w, th, tw, c := s[0], s[1], s[2], s[3], s[4], s[5]
		add(fmt.Sprint("upsampling ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			y, top, dtop := Put(t, e, Filled(n*h*w*c, 7), n, h, w, c), Put(t, e, Drawn(12, n*th*tw*c), n, th, tw, c), Put(t, e, Filled(n*th*tw*c, 7), n, th, tw, c)
			Must(t, e.UpsampleAdd(y, top, Put(t, e, Drawn(13, n*h*w*c), n, h, w, c)))
			Must(t, e.UpsampleGrad(dtop, y))
			return [][]float32{Get(t, e, y), Get(t, e, dtop)}
		})
	}

	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: -1, Gamma: 2}, {Alpha: .25}, {Alpha: .6, Gamma: 1.5}} {
		for _, s := range [][3]int{{1, 1, 1}, {2, 7, 3}, {2, 700, 5}} {
			n, a, k := s[0], s[1], s[2]
			x, labels := Drawn(14, n*a*k), make([]int32, n*a)
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
				of := levelLosses(t, e, p)
				l, norm, up := Put(t, e, labels, n, a), Put(t, e, []float32{.5, 2}[:n], n), Put(t, e, []float32{1.5}, 1)
				loss, grad, xd := Put(t, e, []float32{7}, 1), Put(t, e, Filled(len(x), 7), n, a, k), Put(t, e, x, n, a, k)
				Must(t, of.FocalLoss(loss, xd, l, norm, p))
				Must(t, of.FocalLossGrad(grad, xd, l, norm, up, p))
				out := [][]float32{Get(t, e, loss), Get(t, e, grad)}
				d, target, dd := Put(t, e, Drawn(15, n*a*4), n, a, 4), Put(t, e, Drawn(16, n*a*4), n, a, 4), Put(t, e, Filled(n*a*4, 7), n, a, 4)
				for _, b := range []engine.BoxLossParams{{}, {Beta: .5}, {Beta: .5, Alpha: .5, Gamma: 1.5, Bend: 19.085537}} {
					Must(t, of.BoxLoss(loss, d, target, l, norm, b))
					Must(t, of.BoxLossGrad(dd, d, target, l, norm, up, b))
					out = append(out, Get(t, e, loss), Get(t, e, dd))
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
						bias = Put(t, e, Drawn(20, k), k)
					case 's':
						scale = Put(t, e, Drawn(21, k), k)
					case 'r':
						res = Put(t, e, Drawn(22, n*oh*ow*k), n, oh, ow, k)
					case 'R':
						p.Activation = engine.ReLU
					case 'L':
						p.Activation = engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: 3}
					}
				}
				x, wd, y := Put(t, e, Drawn(23, n*h*w*c), n, h, w, c), Put(t, e, Drawn(24, k*cg*r*r), k, cg, r, r), Put(t, e, Filled(n*oh*ow*k, 7), n, oh, ow, k)
				dx, dw, dy := Put(t, e, Filled(n*h*w*c, 7), n, h, w, c), Put(t, e, Filled(k*cg*r*r, 7), k, cg, r, r), Put(t, e, Drawn(25, n*oh*ow*k), n, oh, ow, k)
				e.WeightsChanged()
				Must(t, e.Conv(y, x, wd, scale, bias, res, p))
				Must(t, e.ConvData(dx, dy, wd, scale, p))
				Must(t, e.ConvWeights(dw, dy, x, scale, p))
				out := [][]float32{Get(t, e, y), Get(t, e, dx), Get(t, e, dw)}
				// Other weights at the same place count after WeightsChanged.
				Must(t, e.Upload(wd, Drawn(26, k*cg*r*r)))
				e.WeightsChanged()
				Must(t, e.Conv(y, x, wd, scale, bias, res, p))
				return append(out, Get(t, e, y))
			})
		}
	}
	return all
}
