//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// A case computes on any engine and returns all that it wrote.
type kernelCase struct {
	name string
	run  func(t testing.TB, e engine.Engine) [][]float32
}

func cases() []kernelCase {
	var all []kernelCase
	add := func(name string, run func(t testing.TB, e engine.Engine) [][]float32) {
		all = append(all, kernelCase{name, run})
	}
	nan := float32(math.NaN())

	for _, n := range []int{1, 7, 255, 257, 5000} {
		x, y := normal(1, n), normal(2, n)
		x[n/2] = nan
		for _, r := range []engine.Rectifier{{}, {Slope: .1}, {Cap: .7}, {Slope: .1, Cap: .7}} {
			add(fmt.Sprint("relu ", n, r), func(t testing.TB, e engine.Engine) [][]float32 {
				a, b, c, dx := put(t, e, x, n), put(t, e, y, n), put(t, e, like(n, 7), n), put(t, e, like(n, 7), n)
				must(t, e.ReLU(c, a, r))
				must(t, e.ReLUGrad(dx, b, c, r))
				return [][]float32{get(t, e, c), get(t, e, dx)}
			})
		}
		add(fmt.Sprint("add ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			a, b, c, d := put(t, e, x, n), put(t, e, y, n), put(t, e, like(n, 7), n), put(t, e, like(n, 7), n)
			must(t, e.AddReLU(c, a, b, true))
			must(t, e.AddReLU(d, a, b, false))
			return [][]float32{get(t, e, c), get(t, e, d)}
		})
		add(fmt.Sprint("optimisers ", n), func(t testing.TB, e engine.Engine) [][]float32 {
			var out [][]float32
			for _, nesterov := range []bool{false, true} {
				w, m, g := put(t, e, y, n), put(t, e, like(n, .1), n), put(t, e, normal(3, n), n)
				must(t, e.SGD(w, m, g, engine.SGDParams{LR: .1, Momentum: .9, Decay: 1e-2, Scale: .5, Nesterov: nesterov}))
				out = append(out, get(t, e, w), get(t, e, m))
			}
			for _, decoupled := range []bool{false, true} {
				w, m, v, g := put(t, e, y, n), put(t, e, like(n, .1), n), put(t, e, like(n, .2), n), put(t, e, normal(3, n), n)
				must(t, e.Adam(w, m, v, g, engine.AdamParams{LR: .1, Beta1: .9, Beta2: .99, Eps: 1e-8, Decay: 1e-2, Scale: .5, Step: 3, Decoupled: decoupled}))
				must(t, e.Lerp(m, w, .25))
				out = append(out, get(t, e, w), get(t, e, m), get(t, e, v))
			}
			s, err := e.SumSquares(put(t, e, y, n), put(t, e, normal(4, 3), 3))
			must(t, err)
			return append(out, []float32{float32(s)})
		})
	}

	for _, s := range [][5]int{{1, 1, 1, 1, 1}, {2, 5, 7, 3, 1}, {1, 40, 33, 36, 4}, {2, 16, 12, 260, 4}, {3, 9, 9, 64, 32}} {
		n, h, w, c, groups := s[0], s[1], s[2], s[3], s[4]
		size := n * h * w * c
		x, dy := normal(5, size), normal(6, size)
		for i := range x {
			x[i] += 3
		}
		add(fmt.Sprint("bias gradient ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			db := put(t, e, like(c, 7), c)
			must(t, e.BiasGrad(db, put(t, e, dy, n, h, w, c)))
			return [][]float32{get(t, e, db)}
		})
		add(fmt.Sprint("folded norm ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			scale, shift := put(t, e, like(c, 7), c), put(t, e, like(c, 7), c)
			must(t, e.Fold(scale, shift, put(t, e, normal(7, c), c), put(t, e, normal(8, c), c), put(t, e, normal(9, c), c), put(t, e, like(c, 2), c), 1e-3))
			return [][]float32{get(t, e, scale), get(t, e, shift)}
		})
		for _, relu := range []bool{false, true} {
			add(fmt.Sprint("norms ", s, relu), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, dyd, y, dx := put(t, e, x, n, h, w, c), put(t, e, dy, n, h, w, c), put(t, e, like(size, 7), n, h, w, c), put(t, e, like(size, 7), n, h, w, c)
				gamma, beta, dp := put(t, e, normal(7, c), c), put(t, e, normal(8, c), c), put(t, e, like(2*c, 7), 2, c)
				mean, variance, stats := put(t, e, normal(9, c), c), put(t, e, like(c, 2), c), put(t, e, like(2*c, 7), 2, c)
				p := engine.NormParams{Eps: 1e-3, Momentum: .1, Groups: groups, ReLU: relu}
				must(t, e.BatchNorm(y, stats, mean, variance, xd, gamma, beta, p))
				must(t, e.BatchNormParamGrad(dp, dyd, y, xd, stats, p))
				must(t, e.BatchNormGrad(dx, dyd, y, xd, gamma, stats, dp, p))
				out := [][]float32{get(t, e, y), get(t, e, stats), get(t, e, mean), get(t, e, variance), get(t, e, dp), get(t, e, dx)}
				byImage := put(t, e, like(2*n*groups, 7), 2, n, groups)
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
			x := normal(10, n*h*w*c)
			for i := range x {
				x[i] = float32(math.Round(float64(x[i]) * 2)) // ties
			}
			add(fmt.Sprint("max-pool ", p, s), func(t testing.TB, e engine.Engine) [][]float32 {
				xd, y, dx := put(t, e, x, n, h, w, c), put(t, e, like(n*oh*ow*c, 7), n, oh, ow, c), put(t, e, like(n*h*w*c, 7), n, h, w, c)
				must(t, e.MaxPool(y, xd, p))
				must(t, e.MaxPoolGrad(dx, put(t, e, normal(11, n*oh*ow*c), n, oh, ow, c), xd, y, p))
				return [][]float32{get(t, e, y), get(t, e, dx)}
			})
		}
	}

	for _, s := range [][6]int{{1, 1, 1, 1, 1, 3}, {2, 7, 10, 4, 5, 3}, {1, 16, 8, 8, 4, 16}} {
		n, h, w, th, tw, c := s[0], s[1], s[2], s[3], s[4], s[5]
		add(fmt.Sprint("upsampling ", s), func(t testing.TB, e engine.Engine) [][]float32 {
			y, top, dtop := put(t, e, like(n*h*w*c, 7), n, h, w, c), put(t, e, normal(12, n*th*tw*c), n, th, tw, c), put(t, e, like(n*th*tw*c, 7), n, th, tw, c)
			must(t, e.UpsampleAdd(y, top, put(t, e, normal(13, n*h*w*c), n, h, w, c)))
			must(t, e.UpsampleGrad(dtop, y))
			return [][]float32{get(t, e, y), get(t, e, dtop)}
		})
	}

	for _, p := range []engine.FocalParams{{Alpha: .25, Gamma: 2}, {Alpha: -1, Gamma: 2}, {Alpha: .25}, {Alpha: .6, Gamma: 1.5}} {
		for _, s := range [][3]int{{1, 1, 1}, {2, 7, 3}, {2, 700, 5}} {
			n, a, k := s[0], s[1], s[2]
			x, labels := normal(14, n*a*k), make([]int32, n*a)
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
				l, norm, up := put(t, e, labels, n, a), put(t, e, []float32{.5, 2}[:n], n), put(t, e, []float32{1.5}, 1)
				loss, grad, xd := put(t, e, []float32{7}, 1), put(t, e, like(len(x), 7), n, a, k), put(t, e, x, n, a, k)
				must(t, e.FocalLoss(loss, xd, l, norm, p))
				must(t, e.FocalLossGrad(grad, xd, l, norm, up, p))
				out := [][]float32{get(t, e, loss), get(t, e, grad)}
				d, target, dd := put(t, e, normal(15, n*a*4), n, a, 4), put(t, e, normal(16, n*a*4), n, a, 4), put(t, e, like(n*a*4, 7), n, a, 4)
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
						bias = put(t, e, normal(20, k), k)
					case 's':
						scale = put(t, e, normal(21, k), k)
					case 'r':
						res = put(t, e, normal(22, n*oh*ow*k), n, oh, ow, k)
					case 'R':
						p.ReLU = true
					case 'L':
						p.ReLU, p.Rectifier = true, engine.Rectifier{Slope: .1, Cap: 3}
					}
				}
				x, wd, y := put(t, e, normal(23, n*h*w*c), n, h, w, c), put(t, e, normal(24, k*cg*r*r), k, cg, r, r), put(t, e, like(n*oh*ow*k, 7), n, oh, ow, k)
				dx, dw, dy := put(t, e, like(n*h*w*c, 7), n, h, w, c), put(t, e, like(k*cg*r*r, 7), k, cg, r, r), put(t, e, normal(25, n*oh*ow*k), n, oh, ow, k)
				e.WeightsChanged()
				must(t, e.Conv(y, x, wd, scale, bias, res, p))
				must(t, e.ConvData(dx, dy, wd, scale, p))
				must(t, e.ConvWeights(dw, dy, x, scale, p))
				out := [][]float32{get(t, e, y), get(t, e, dx), get(t, e, dw)}
				// Other weights at the same place count after WeightsChanged.
				must(t, e.Upload(wd, normal(26, k*cg*r*r)))
				e.WeightsChanged()
				must(t, e.Conv(y, x, wd, scale, bias, res, p))
				return append(out, get(t, e, y))
			})
		}
	}
	return all
}

// Every kernel gives what the CPU engine gives: shapes of all kinds, ties, NaN, far logits, all labels. On the host's device with
// blocks of one thread, and of several that meet at every barrier.
func TestKernels(t *testing.T) {
	c := startCPU(t)
	for threads := range blocks() {
		for _, k := range cases() {
			t.Run(fmt.Sprintf("%d threads/%s", threads, k.name), func(t *testing.T) {
				e := start(t)
				want, got := k.run(t, c), k.run(t, e)
				for i := range want {
					near(t, fmt.Sprint("result ", i), got[i], want[i], closeness())
				}
			})
		}
	}
}

// A label that is no class is told of when the host next waits, and not again.
func TestLabelThatIsNoClass(t *testing.T) {
	e := start(t)
	labels, loss := put(t, e, []int32{0, 3}, 1, 2), put(t, e, []float32{0}, 1)
	must(t, e.FocalLoss(loss, put(t, e, make([]float32, 6), 1, 2, 3), labels, put(t, e, []float32{1}, 1), engine.FocalParams{Alpha: .25, Gamma: 2}))
	v := []float32{0}
	if err := e.Download(v, loss); err == nil || !strings.Contains(err.Error(), "anchor 1 is 3") {
		t.Errorf("a label of 3 among 3 classes: %v", err)
	}
	must(t, e.Download(v, loss))
}
