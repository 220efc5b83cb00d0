package picture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// reference is bilinear interpolation in float64, straight from its definition: target pixel centres at (i+.5)*scale-.5,
// clamped at the border.
func reference(p *Picture, w, h, x, y, c int, mean, std [3]float32) float64 {
	at := func(i, n, m int) (int, int, float64) {
		v := math.Max((float64(i)+.5)*float64(m)/float64(n)-.5, 0)
		a := int(v)
		return a, min(a+1, m-1), v - float64(a)
	}
	x0, x1, tx := at(x, w, p.W)
	y0, y1, ty := at(y, h, p.H)
	v := func(x, y int) float64 { return float64(p.Pix[3*(y*p.W+x)+c]) }
	top, bottom := v(x0, y0)*(1-tx)+v(x1, y0)*tx, v(x0, y1)*(1-tx)+v(x1, y1)*tx
	return ((top*(1-ty)+bottom*ty)/255 - float64(mean[c])) / float64(std[c])
}

func TestResizeNormalize(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	mean, std := [3]float32{.485, .456, .406}, [3]float32{.229, .224, .225}
	for _, s := range [][4]int{{31, 17, 31, 17}, {40, 30, 97, 71}, {97, 71, 40, 30}, {300, 200, 13, 9}, {1, 1, 8, 5}, {5, 1, 3, 4}, {64, 64, 65, 63}} {
		p := New(s[0], s[1])
		for i := range p.Pix {
			p.Pix[i] = uint8(r.UintN(256))
		}
		w, h := s[2], s[3]
		for _, flip := range []bool{false, true} {
			stride := 3*w + 6
			dst := make([]float32, stride*h)
			for i := range dst {
				dst[i] = -99
			}
			ResizeNormalize(dst, stride, p, w, h, mean, std, flip)
			for y := range h {
				for x := range stride / 3 {
					for c := range 3 {
						got := float64(dst[y*stride+3*x+c])
						want := -99.
						switch {
						case x < w && flip:
							want = reference(p, w, h, w-1-x, y, c, mean, std)
						case x < w:
							want = reference(p, w, h, x, y, c, mean, std)
						}
						if math.Abs(got-want) > 1e-5 {
							t.Fatalf("%v flip %v at %d,%d channel %d: %g, want %g", s, flip, x, y, c, got, want)
						}
					}
				}
			}
		}
	}
}

func ExampleResizeNormalize() {
	p := New(2, 1)
	p.Set(0, 0, 255, 0, 0)
	p.Set(1, 0, 0, 0, 255)
	canvas := make([]float32, 3*4)
	ResizeNormalize(canvas, 3*4, p, 4, 1, [3]float32{}, [3]float32{1, 1, 1}, false)
	for x := range 4 {
		fmt.Printf("%.2f ", canvas[3*x:3*x+3])
	}
	// Output: [1.00 0.00 0.00] [0.75 0.00 0.25] [0.25 0.00 0.75] [0.00 0.00 1.00]
}

func BenchmarkResizeNormalize(b *testing.B) {
	p := gradient(640, 480)
	dst := make([]float32, 3*1088*800)
	b.SetBytes(int64(4 * len(dst)))
	for b.Loop() {
		ResizeNormalize(dst, 3*1088, p, 1067, 800, [3]float32{.5, .5, .5}, [3]float32{.2, .2, .2}, false)
	}
}
