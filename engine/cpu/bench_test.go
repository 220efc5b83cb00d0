package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// benchShape is a convolution of stride 1 of one image, whose padding keeps the size.
type benchShape struct{ h, w, c, k, r int }

func (s benchShape) String() string { return fmt.Sprintf("%dx%dx%d-k%d-r%d", s.h, s.w, s.c, s.k, s.r) }

var benchShapes = []benchShape{{100, 168, 256, 256, 3}, {50, 84, 256, 256, 3}, {100, 168, 128, 512, 1}, {200, 336, 64, 64, 3}}

func BenchmarkConv(b *testing.B) {
	for _, c := range benchShapes {
		for _, a := range []Algorithm{OneDNN, Winograd} {
			b.Run(fmt.Sprintf("%v/%v", a, c), func(b *testing.B) {
				e := start(b, Options{Algorithm: a})
				r := rand.New(rand.NewPCG(1, 2))
				x, w, y := put(b, e, normal(r, c.h*c.w*c.c), 1, c.h, c.w, c.c), put(b, e, normal(r, c.k*c.c*c.r*c.r), c.k, c.c, c.r, c.r), put(b, e, nil, 1, c.h, c.w, c.k)
				for b.Loop() {
					if err := e.Conv(y, x, w, nil, nil, nil, engine.ConvParams{Stride: 1, Pad: c.r / 2}); err != nil {
						b.Fatal(err)
					}
				}
				flop := 2 * float64(c.h*c.w*c.c*c.k*c.r*c.r)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkConvInt8(b *testing.B) {
	for _, path := range Int8Paths() {
		for _, c := range []benchShape{benchShapes[0], benchShapes[2]} {
			b.Run(path+"/"+c.String(), func(b *testing.B) {
				if path == "plain" {
					b.Skip("of no interest")
				}
				e := start(b, Options{Int8: path})
				p := engine.Int8Params{ConvParams: engine.ConvParams{Stride: 1, Pad: c.r / 2},
					Int8Shape: engine.Int8Shape{K: c.k, C: c.c, R: c.r, S: c.r, Groups: 1}, Most: 255}
				x, y := bytes(b, e, nil, 1, c.h, c.w, c.c), bytes(b, e, nil, 1, c.h, c.w, c.k)
				w := pack(b, e, make([]int8, c.k*c.c*c.r*c.r), p.Int8Shape)
				init := empty(b, e, tensor.Int32, c.k)
				scale, bias := put(b, e, nil, c.k), put(b, e, nil, c.k)
				for b.Loop() {
					if err := e.ConvInt8(y, x, w, init, scale, bias, nil, p); err != nil {
						b.Fatal(err)
					}
				}
				ops := 2 * float64(c.h*c.w*c.k*c.c*c.r*c.r)
				b.ReportMetric(ops*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gop/s")
			})
		}
	}
}

func pack(t testing.TB, e *Engine, w []int8, s engine.Int8Shape) *tensor.Dense {
	t.Helper()
	d, err := e.PackInt8(w, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
