package picture

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"retinago/augment"
)

var imageNet = Input{Mean: [3]float32{.485, .456, .406}, Std: [3]float32{.229, .224, .225}}

// resize is an image resized to W x H px at the top left of a canvas.
type resize struct {
	Input
	W, H, CanvasW, CanvasH int
	Flip                   bool // mirrored from left to right
}

func (in resize) draw(dst []float32, p *Picture) {
	position := augment.Scale(float64(in.W)/float64(p.W), float64(in.H)/float64(p.H))
	if in.Flip {
		position = position.Then(augment.FlipX(float64(in.W)))
	}
	in.Draw(dst, augment.Single(0, position, in.CanvasW, in.CanvasH), []Source{{p, p.W, p.H}})
}

// reference is bilinear interpolation in float64, straight from its definition: target pixel centres at (i+.5)*scale-.5,
// clamped at the border; flip mirrors the source.
func reference(p *Picture, in resize, x, y, c int) float64 {
	at := func(i, n, m int) (int, int, float64) {
		v := math.Max((float64(i)+.5)*float64(m)/float64(n)-.5, 0)
		a := int(v)
		return a, min(a+1, m-1), v - float64(a)
	}
	x0, x1, tx := at(x, in.W, p.W)
	y0, y1, ty := at(y, in.H, p.H)
	v := func(x, y int) float64 {
		if in.Flip {
			x = p.W - 1 - x
		}
		return float64(p.Pix[3*(y*p.W+x)+c])
	}
	top, bottom := v(x0, y0)*(1-tx)+v(x1, y0)*tx, v(x0, y1)*(1-tx)+v(x1, y1)*tx
	return ((top*(1-ty)+bottom*ty)/255 - float64(in.Mean[c])) / float64(in.Std[c])
}

// Every number of a canvas, also beyond the image, where old ones must go; nothing behind the canvas. The ratio of sizes
// is a float32, as torch's: 6e-8 of a coordinate, times a contrast of 1/std.
func TestResize(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][4]int{{31, 17, 31, 17}, {40, 30, 97, 71}, {97, 71, 40, 30}, {300, 200, 13, 9}, {1, 1, 8, 5}, {5, 1, 3, 4}, {1, 7, 4, 3}, {7, 1, 1, 1},
		{1, 1, 1, 1}, {2, 2, 1, 300}, {64, 64, 65, 63}, {500, 300, 450, 330}} {
		p := New(s[0], s[1])
		for i := range p.Pix {
			p.Pix[i] = uint8(r.UintN(256))
		}
		for k, pad := range [][2]int{{0, 0}, {3, 0}, {0, 2}, {2, 5}} {
			in := resize{Input: imageNet, W: s[2], H: s[3], CanvasW: s[2] + pad[0], CanvasH: s[3] + pad[1], Flip: k%2 == 1}
			in.Threads = k
			n := 3 * in.CanvasW * in.CanvasH
			dst := make([]float32, n+6)
			for i := range dst {
				dst[i] = -99
			}
			in.draw(dst, p)
			for i, got := range dst {
				x, y, c := i/3%in.CanvasW, i/3/in.CanvasW, i%3
				want := 0.
				if i >= n {
					want = -99
				} else if x < in.W && y < in.H {
					want = reference(p, in, x, y, c)
				}
				if math.Abs(float64(got)-want) > 1e-6+3e-7*float64(max(s[0], s[1])) || want == 0 && got != 0 {
					t.Fatalf("%v %+v at %d,%d channel %d: %g, want %g", s, in, x, y, c, got, want)
				}
			}
		}
	}
}

// What torchvision's detection transform makes: testdata/resized.py. $RETINAGO_RESIZED names a file with more cases.
func TestResizeIsTorchvisions(t *testing.T) {
	files := []string{"testdata/resized.jsonl"}
	if more := os.Getenv("RETINAGO_RESIZED"); more != "" {
		files = append(files, more)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		cases, worst := 0, 0.
		for ; lines.Scan(); cases++ {
			var c struct {
				W, H, Seed, RW, RH int
				Flip               bool
				At                 []int
				Want               []float64
			}
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			p := New(c.W, c.H)
			for i := range p.Pix {
				p.Pix[i] = uint8((i*2654435761 + c.Seed) >> 16)
			}
			in := resize{Input: imageNet, W: c.RW, H: c.RH, CanvasW: c.RW, CanvasH: c.RH, Flip: c.Flip}
			in.Threads = 2
			dst := make([]float32, 3*c.RW*c.RH)
			in.draw(dst, p)
			for k, at := range c.At {
				d := math.Abs(float64(dst[at]) - c.Want[k])
				worst = max(worst, d)
				if !(d <= 1e-5) {
					t.Errorf("%s: case %d, %dx%d to %dx%d, number %d: %g, torchvision has %g", file, cases, c.W, c.H, c.RW, c.RH, at, dst[at], c.Want[k])
					break
				}
			}
		}
		if err := lines.Err(); err != nil || cases < 8 {
			t.Fatalf("%s: %d cases, %v", file, cases, err)
		}
		t.Logf("%s: %d cases, to %.1g", file, cases, worst)
	}
}

func TestDrawPanics(t *testing.T) {
	scene := augment.Single(0, augment.Identity, 4, 4)
	for name, f := range map[string]func(){
		"a canvas without pixels": func() { imageNet.Draw(make([]float32, 48), augment.Scene{W: 4}, nil) },
		"too little room":         func() { imageNet.Draw(make([]float32, 47), scene, []Source{{New(2, 2), 2, 2}}) },
		"no pixels":               func() { imageNet.Draw(make([]float32, 48), scene, []Source{{&Picture{W: 2, H: 2}, 2, 2}}) },
		"no size":                 func() { imageNet.Draw(make([]float32, 48), scene, []Source{{New(2, 2), 2, 0}}) },
		"no image":                func() { imageNet.Draw(make([]float32, 48), scene, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func ExampleInput_Draw() {
	p := New(2, 1)
	p.Set(0, 0, 255, 0, 0)
	p.Set(1, 0, 0, 0, 255)
	canvas := make([]float32, 3*5)
	scene := augment.Single(0, augment.Scale(2, 1), 5, 1)
	Input{Std: [3]float32{1, 1, 1}}.Draw(canvas, scene, []Source{{Picture: p, W: 2, H: 1}})
	for x := range 5 {
		fmt.Printf("%.2f ", canvas[3*x:3*x+3])
	}
	// Output: [1.00 0.00 0.00] [0.75 0.00 0.25] [0.25 0.00 0.75] [0.00 0.00 1.00] [0.00 0.00 0.00]
}

func BenchmarkResize(b *testing.B) {
	for _, s := range [][4]int{{640, 480, 1066, 800}, {2048, 1365, 1200, 800}, {500, 375, 416, 312}} {
		p := gradient(s[0], s[1])
		in := resize{Input: imageNet, W: s[2], H: s[3], CanvasW: (s[2] + 127) / 128 * 128, CanvasH: (s[3] + 127) / 128 * 128}
		dst := make([]float32, 3*in.CanvasW*in.CanvasH)
		for in.Threads = range []int{1, 2} {
			in.Threads++
			b.Run(fmt.Sprintf("%dx%d to %dx%d/threads=%d", s[0], s[1], s[2], s[3], in.Threads), func(b *testing.B) {
				b.SetBytes(int64(4 * len(dst)))
				b.ReportAllocs()
				for b.Loop() {
					in.draw(dst, p)
				}
			})
		}
	}
}
