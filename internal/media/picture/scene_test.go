package picture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/augment"
	"retinago/box"
)

// defined is a scene from its definition, in float64, pixel by pixel. certain is false where a centre lies within 1e-4 px of an image's
// border, so that rounding decides whether it is drawn.
func defined(in Input, s augment.Scene, images []Source) (want []float64, certain []bool) {
	want, certain = make([]float64, 3*s.W*s.H), make([]bool, s.W*s.H)
	for i := range certain {
		x, y := float64(i%s.W)+.5, float64(i/s.W)+.5
		certain[i] = true
		at := want[3*i : 3*i+3]
		for k, l := range s.Layers {
			if !within(l.Clip, x, y) {
				continue
			}
			inverse, ok := l.Position.Inverse()
			if !ok {
				continue
			}
			p := images[k].Picture
			u, v := inverse.Point(x, y)
			u, v = u*float64(p.W)/float64(images[k].W), v*float64(p.H)/float64(images[k].H)
			if near := math.Min(math.Min(math.Abs(u), math.Abs(v)), math.Min(math.Abs(u-float64(p.W)), math.Abs(v-float64(p.H)))); near < 1e-4 {
				certain[i] = false
			}
			if u < 0 || v < 0 || u >= float64(p.W) || v >= float64(p.H) {
				continue
			}
			colour := coloured(l.Colour, bilinear(p, u-.5, v-.5))
			for c := range at {
				w := float64(l.Weight)
				at[c] = w*(colour[c]/255-float64(in.Mean[c]))/float64(in.Std[c]) + (1-w)*at[c]
			}
		}
		for _, b := range s.Fill {
			if within(b, x, y) {
				clear(at)
			}
		}
	}
	return want, certain
}

func within(b box.Box, x, y float64) bool {
	return x >= float64(b.X1) && x < float64(b.X2) && y >= float64(b.Y1) && y < float64(b.Y2)
}

// bilinear is the sample at x, y, where 0 is the centre of the first pixel.
func bilinear(p *Picture, x, y float64) (out [3]float64) {
	x, y = min(max(x, 0), float64(p.W-1)), min(max(y, 0), float64(p.H-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.W-1), min(y0+1, p.H-1)
	tx, ty := x-float64(x0), y-float64(y0)
	for c := range out {
		v := func(x, y int) float64 { return float64(p.Pix[3*(y*p.W+x)+c]) }
		out[c] = (v(x0, y0)*(1-tx)+v(x1, y0)*tx)*(1-ty) + (v(x0, y1)*(1-tx)+v(x1, y1)*tx)*ty
	}
	return out
}

func coloured(c augment.Colour, v [3]float64) (out [3]float64) {
	m, gamma := c.M, float64(c.Gamma)
	if m == ([12]float32{}) {
		m = augment.NoColour.M
	}
	if gamma == 0 {
		gamma = 1
	}
	for r := range out {
		x := float64(m[4*r])*v[0] + float64(m[4*r+1])*v[1] + float64(m[4*r+2])*v[2] + float64(m[4*r+3])
		out[r] = 255 * math.Pow(min(max(x, 0), 255)/255, gamma)
	}
	return out
}

// speckled is an image of random colours.
func speckled(r *rand.Rand, w, h int) *Picture {
	p := New(w, h)
	for i := range p.Pix {
		p.Pix[i] = uint8(r.UintN(256))
	}
	return p
}

// drawn is a random scene with its images: up to four layers, some of them turned, scaled, mirrored or listed larger than decoded.
func drawn(r *rand.Rand) (augment.Scene, []Source) {
	s := augment.Scene{W: 1 + r.IntN(90), H: 1 + r.IntN(70)}
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	rectangle := func() box.Box {
		x, y := between(-10, float64(s.W)), between(-10, float64(s.H))
		return box.Box{X1: float32(x), Y1: float32(y), X2: float32(x + between(1, 80)), Y2: float32(y + between(1, 80))}
	}
	var images []Source
	for k := range 1 + r.IntN(4) {
		p := speckled(r, 1+r.IntN(60), 1+r.IntN(60))
		images = append(images, Source{p, p.W * (1 + r.IntN(2)), p.H * (1 + r.IntN(2))})
		l := augment.Layer{Index: k, Position: augment.Scale(between(.2, 3), between(.2, 3)), Weight: 1, Clip: box.Box{X2: float32(s.W), Y2: float32(s.H)}}
		if r.IntN(2) == 0 {
			l.Position = l.Position.Then(augment.FlipX(between(10, 80)))
		}
		if r.IntN(2) == 0 {
			l.Position = l.Position.Then(augment.Rotate(between(-4, 4)).Around(between(0, 50), between(0, 50))).Then(augment.Shear(between(-.5, .5), between(-.5, .5)))
		}
		l.Position = l.Position.Then(augment.Translate(between(-20, 30), between(-20, 30)))
		if r.IntN(2) == 0 {
			l.Clip = rectangle()
		}
		if r.IntN(2) == 0 {
			l.Weight = r.Float32()
		}
		if r.IntN(2) == 0 {
			for i := range l.Colour.M {
				l.Colour.M[i] = float32(between(-.3, .8))
			}
			l.Colour.M[3] = float32(between(-60, 60))
		}
		if r.IntN(3) == 0 {
			l.Colour.Gamma = float32(between(.4, 2.5))
		}
		s.Layers = append(s.Layers, l)
	}
	for range r.IntN(3) {
		s.Fill = append(s.Fill, rectangle())
	}
	return s, images
}

// Every pixel of random scenes is what the definition makes of it, whatever was in the memory before, and nothing is written behind it.
func TestScenes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const guard = 7
	left, all := 0, 0
	for k := range 400 {
		s, images := drawn(r)
		want, certain := defined(imageNet, s, images)
		dst := make([]float32, len(want)+guard)
		for i := range dst {
			dst[i] = -99
		}
		imageNet.Draw(dst, s, images)
		for i, w := range want {
			if all++; !certain[i/3] {
				left++
				continue
			}
			if !(math.Abs(float64(dst[i])-w) <= 1e-4) {
				t.Fatalf("scene %d, %+v, %d images: pixel %d,%d channel %d is %g, want %g", k, s, len(images), i/3%s.W, i/3/s.W, i%3, dst[i], w)
			}
		}
		for i := range guard {
			if dst[len(want)+i] != -99 {
				t.Fatalf("scene %d: float %d behind the canvas was written", k, i)
			}
		}
	}
	if left > all/100 {
		t.Errorf("%d of %d values are at an image's border", left, all)
	}
}

// Threads share the rows of a scene, and draw what one draws.
func TestSceneThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	s := augment.Scene{W: 700, H: 500, Fill: []box.Box{{X1: 100, Y1: 200, X2: 300, Y2: 300}}}
	var images []Source
	for k := range 3 {
		p := speckled(r, 300, 200)
		images = append(images, Source{p, p.W, p.H})
		position := augment.Scale(2, 2).Then(augment.Rotate(.3 * float64(k)))
		s.Layers = append(s.Layers, augment.Layer{Position: position, Clip: box.Box{X2: 700, Y2: 500}, Weight: 1 - .3*float32(k), Colour: augment.Colour{Gamma: 1.3}})
	}
	want, got := make([]float32, 3*s.W*s.H), make([]float32, 3*s.W*s.H)
	imageNet.Draw(want, s, images)
	for _, threads := range []int{2, 3, 8} {
		in := imageNet
		in.Threads = threads
		clear(got)
		in.Draw(got, s, images)
		if !slices.Equal(got, want) {
			t.Errorf("%d threads draw something else than one", threads)
		}
	}
}

// Gammas far from 1 are exact for the darkest and the brightest values, and so is black.
func TestGamma(t *testing.T) {
	p := New(256, 1)
	for v := range 256 {
		p.Set(v, 0, uint8(v), uint8(v), uint8(v))
	}
	for _, gamma := range []float32{.05, .3, 2.2, 7} {
		s := augment.Single(0, augment.Identity, 256, 1)
		s.Layers[0].Colour.Gamma = gamma
		got := make([]float32, 3*256)
		Input{Std: [3]float32{1, 1, 1}}.Draw(got, s, []Source{{p, 256, 1}})
		for i, g := range got {
			if want := math.Pow(float64(i/3)/255, float64(gamma)); math.Abs(float64(g)-want) > 2e-6 {
				t.Fatalf("gamma %g: %d becomes %g, want %g", gamma, i/3, g, want)
			}
		}
	}
}

// Layers that have no area on the canvas draw nothing, whatever their numbers are.
func TestLayersOfNothing(t *testing.T) {
	nan, infinite := math.NaN(), math.Inf(1)
	whole := box.Box{X2: 20, Y2: 10}
	for name, l := range map[string]augment.Layer{
		"no width":           {Position: augment.Scale(0, 1), Clip: whole, Weight: 1},
		"a line":             {Position: augment.Affine{1, 1, 0, 1, 1, 0}, Clip: whole, Weight: 1},
		"not a number":       {Position: augment.Affine{nan, 0, 0, 0, 1, 0}, Clip: whole, Weight: 1},
		"nowhere":            {Position: augment.Translate(nan, 0), Clip: whole, Weight: 1},
		"turned nowhere":     {Position: augment.Rotate(1).Then(augment.Translate(0, nan)), Clip: whole, Weight: 1},
		"infinite":           {Position: augment.Scale(infinite, 1), Clip: whole, Weight: 1},
		"infinitely far":     {Position: augment.Rotate(1).Then(augment.Translate(infinite, 0)), Clip: whole, Weight: 1},
		"beside the canvas":  {Position: augment.Translate(20, 0), Clip: whole, Weight: 1},
		"turned beside it":   {Position: augment.Rotate(.1).Then(augment.Translate(40, 0)), Clip: whole, Weight: 1},
		"less than a pixel":  {Position: augment.Rotate(.1).Then(augment.Scale(1e-9, 1e-9)), Clip: whole, Weight: 1},
		"no clip":            {Position: augment.Identity, Weight: 1},
		"no weight":          {Position: augment.Identity, Clip: whole},
		"clip of no numbers": {Position: augment.Identity, Clip: box.Box{X1: float32(nan), Y1: float32(nan), X2: float32(nan), Y2: float32(nan)}, Weight: 1},
	} {
		dst := make([]float32, 3*20*10)
		for i := range dst {
			dst[i] = -99
		}
		imageNet.Draw(dst, augment.Scene{W: 20, H: 10, Layers: []augment.Layer{l}}, []Source{{New(8, 8), 8, 8}})
		if i := slices.IndexFunc(dst, func(v float32) bool { return v != 0 }); i >= 0 {
			t.Errorf("%s: float %d is %g", name, i, dst[i])
		}
	}
}

// An image resized to whole px at the top left, mirrored or not, is what torchvision's rounding makes of it, to the bit: the ratio and the
// weights are float32. Processors with fused products round less; the whole image is one or the other.
func TestResizeToTheBit(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		p := speckled(r, 1+r.IntN(100), 1+r.IntN(100))
		in := resize{Input: imageNet, W: 1 + r.IntN(90), H: 1 + r.IntN(90), Flip: r.IntN(2) == 0}
		in.CanvasW, in.CanvasH = in.W+r.IntN(9), in.H+r.IntN(9)
		got := make([]float32, 3*in.CanvasW*in.CanvasH)
		in.draw(got, p)
		for _, fused := range []bool{false, true} {
			want := rounded(in, p, fused)
			same := slices.EqualFunc(got, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
			if same {
				break
			}
			if fused {
				t.Fatalf("%+v of %dx%d differs with and without fused products", in, p.W, p.H)
			}
		}
	}
}

// rounded is the resized image in float32, with fused products or without.
func rounded(in resize, p *Picture, fused bool) []float32 {
	multiplyAdd := func(a, b, c float32) float32 {
		if fused {
			return float32(float64(a)*float64(b) + float64(c))
		}
		return float32(a*b) + c
	}
	at := func(i, n, m int) (a, b int, t float32) {
		x := max((float64(i)+.5)*float64(float32(m)/float32(n))-.5, 0)
		a = min(int(x), m-1)
		return a, min(a+1, m-1), float32(min(x-float64(a), 1))
	}
	scale, shift := in.Factors()
	out := make([]float32, 3*in.CanvasW*in.CanvasH)
	for i := range out {
		x, y, c := i/3%in.CanvasW, i/3/in.CanvasW, i%3
		if x >= in.W || y >= in.H {
			continue
		}
		x0, x1, right := at(x, in.W, p.W)
		y0, y1, down := at(y, in.H, p.H)
		if in.Flip {
			x0, x1 = p.W-1-x0, p.W-1-x1
		}
		column := func(x int) float32 {
			a, b := float32(p.Pix[3*(y0*p.W+x)+c]), float32(p.Pix[3*(y1*p.W+x)+c])
			return multiplyAdd(down, b-a, a)
		}
		a, b := column(x0), column(x1)
		out[i] = multiplyAdd(multiplyAdd(right, b-a, a), scale[c], shift[c])
	}
	return out
}

func BenchmarkScene(b *testing.B) {
	p := gradient(640, 480)
	image := Source{p, 640, 480}
	all := box.Box{X2: 1088, Y2: 832}
	plain := augment.Layer{Position: augment.Scale(1066./640, 800./480), Clip: all, Weight: 1}
	turned := plain
	turned.Position = turned.Position.Then(augment.Rotate(.2).Around(500, 400))
	vivid := turned
	vivid.Colour = augment.Colour{M: [12]float32{1.1, .1, 0, 3, 0, .9, .1, -5, .1, 0, 1, 0}, Gamma: 1.2}
	half := plain
	half.Weight = .5
	var mosaic []augment.Layer
	for k := range 4 {
		l := vivid
		x, y := float32(k%2*544), float32(k/2*416)
		l.Clip = box.Box{X1: x, Y1: y, X2: x + 544, Y2: y + 416}
		l.Position = augment.Scale(1, 1).Then(augment.Rotate(.1)).Then(augment.Translate(float64(x), float64(y)))
		mosaic = append(mosaic, l)
	}
	for _, k := range []struct {
		name   string
		layers []augment.Layer
	}{{"plain", []augment.Layer{plain}}, {"turned", []augment.Layer{turned}}, {"turned, colours", []augment.Layer{vivid}}, {"mixup", []augment.Layer{plain, half}}, {"mosaic", mosaic}} {
		s := augment.Scene{W: 1088, H: 832, Layers: k.layers}
		images := make([]Source, len(k.layers))
		for i := range images {
			images[i] = image
		}
		dst := make([]float32, 3*s.W*s.H)
		b.Run(fmt.Sprint(k.name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				imageNet.Draw(dst, s, images)
			}
		})
	}
}
