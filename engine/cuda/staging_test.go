//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
)

// bothOrders runs f with copies that run as late as events allow, and as early.
func bothOrders(t *testing.T, f func(t *testing.T)) {
	onHost(t)
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprint("early ", early), func(t *testing.T) {
			kernels.EarlyCopies(early)
			defer kernels.EarlyCopies(false)
			f(t)
		})
	}
}

// Work between uploads to one tensor finds what was sent before it, though the host does not wait and more is sent than all pages hold; with
// memory for few pages, too.
func TestUploadsInOrder(t *testing.T) {
	const n, times, all = 3 << 18, 30, 16 * 4 << 20
	bothOrders(t, func(t *testing.T) {
		for _, room := range []int64{1 << 30, kernels.Count().Bytes + 3*4*n + 11<<20} {
			kernels.SetCapacity(room)
			defer kernels.SetCapacity(1 << 30)
			e := start(t)
			part, err := e.New(tensor.Float32, n)
			must(t, err)
			sum, err := e.New(tensor.Float32, n)
			must(t, err)
			before := kernels.Count().Bytes
			want := like(n, 0)
			sent := make([]float32, n)
			for k := range times {
				for i := range sent {
					sent[i] = float32((i + 7*k) % 11)
					want[i] += sent[i]
				}
				must(t, e.Upload(part, sent))
				must(t, e.Sum(sum, sum, part, engine.None))
			}
			if bytes := kernels.Count().Bytes - before; bytes > all || room == 1<<30 && bytes < all {
				t.Errorf("pages take %d bytes", bytes)
			}
			if !slices.Equal(get(t, e, sum), want) {
				t.Errorf("with %d bytes the sum differs", room)
			}
			must(t, e.Close())
		}
	})
}

// batches takes steps with images of bytes, objects and learning rates of their own, and sends each while as many as ahead before it
// are not done. It returns how often sending waited.
func batches(t *testing.T, cfg config.Config, ahead int) (o outcome, waits int64) {
	e := start(t)
	m, s := stepper(t, e, cfg)
	defer func() { must(t, m.Close()) }()
	report := func() {
		taken, err := s.Report()
		must(t, err)
		o.add("losses and norm of a step", []float32{float32(taken.Losses.Class), float32(taken.Losses.Box), float32(taken.GradNorm)})
	}
	const side = 1000
	pix := make([]uint8, 3*side*side)
	for k := range 12 {
		objects := scene()
		if k%2 == 1 {
			slices.Reverse(objects)
		}
		before := kernels.Count().Waits
		given := make([]engine.Canvas, pictures)
		for i := range given {
			l := engine.Layer{Pix: pix, W: side, H: side, Area: engine.Area{X2: canvasW, Y2: canvasH},
				X: engine.Axis{Step: side / float64(canvasW), Start: -.5}, Y: engine.Axis{Step: side / float64(canvasH), Start: -.5}, Weight: 1}
			given[i] = engine.Canvas{Layers: []engine.Layer{l}, Scale: [3]float32{.02, .02, .02}}
		}
		for i := range pix {
			pix[i] = uint8(i * (k + 3) >> 5)
		}
		must(t, s.Prepare(pictures, canvasH, canvasW, given))
		must(t, s.Queue(pictures, canvasH, canvasW, nil, s.Targets(canvasH, canvasW, objects), .01/float64(k+1)))
		waits += kernels.Count().Waits - before
		if k >= ahead {
			report()
		}
	}
	for range ahead {
		report()
	}
	for _, p := range m.Params() {
		o.add(p.Name, get(t, e, p.Value))
	}
	return o, waits
}

// A batch that is sent while the step before it has not begun comes to what it does in plain order, to the bit, and sending it waits
// for nothing.
func TestBatchesAhead(t *testing.T) {
	for _, name := range []string{"frozen norms", "quality focal, GIoU"} {
		t.Run(name, func(t *testing.T) {
			cfg := small(models[name].change)
			want, _ := batches(t, cfg, 0)
			bothOrders(t, func(t *testing.T) {
				_, replays := kernels.Graphs()
				got, waits := batches(t, cfg, 1)
				if waits > 0 {
					t.Errorf("sending waited %d times", waits)
				}
				if _, n := kernels.Graphs(); n-replays < 8 {
					t.Errorf("%d steps were repeated from a recording", n-replays)
				}
				for i, name := range want.names {
					if !slices.Equal(got.values[i], want.values[i]) {
						t.Errorf("%s differs", name)
					}
				}
			})
		})
	}
}
