package picture

import (
	"fmt"
	"math"

	"retinago/augment"
	"retinago/box"
	"retinago/engine"
)

// Source is the image of a layer. The layer's Position is in px of an image of W x H, as the dataset lists it. The Picture may have other
// sides, for example if it was decoded at a fraction of its size.
type Source struct {
	Picture *Picture
	W, H    int
}

// Draw writes a scene to dst, [H,W,3], as the input of a network: (value/255 - Mean)/Std, 0 where nothing is drawn. images[i] is that
// of scene.Layers[i], with its Filters applied. Samples are bilinear, also where an image becomes smaller: without antialiasing, as
// torchvision's detection transform scales tensors, and with its rounding where an image is resized to whole px at the top left.
func (in Input) Draw(dst []float32, scene augment.Scene, images []Source) {
	in.draw(dst, scene.W, scene.H, in.Canvas(scene, images))
}

// Canvas returns a scene as engines draw it. It refers to the images' pixels.
func (in Input) Canvas(scene augment.Scene, images []Source) engine.Canvas {
	if len(images) != len(scene.Layers) {
		panic(fmt.Sprintf("picture: %d images for %d layers", len(images), len(scene.Layers)))
	}
	var c engine.Canvas
	c.Scale, c.Shift = in.Factors()
	for i, l := range scene.Layers {
		placed, ok := place(scene, l, images[i])
		if ok {
			c.Layers = append(c.Layers, placed)
		}
	}
	for _, b := range scene.Fill {
		if a := areaOf(scene, b); !a.Empty() {
			c.Fill = append(c.Fill, a)
		}
	}
	return c
}

// place returns a layer as engines draw it, and whether there is anything to draw.
func place(scene augment.Scene, l augment.Layer, image Source) (engine.Layer, bool) {
	p := image.Picture
	if p.W < 1 || p.H < 1 || len(p.Pix) != 3*p.W*p.H || image.W < 1 || image.H < 1 {
		panic(fmt.Sprintf("picture: an image of %dx%d with %d values for %dx%d px", p.W, p.H, len(p.Pix), image.W, image.H))
	}
	out := engine.Layer{Pix: p.Pix, W: p.W, H: p.H, Area: areaOf(scene, l.Clip), Weight: l.Weight}
	if !l.Colour.IsIdentity() {
		full := augment.NoColour.Then(l.Colour)
		out.Colour, out.Gamma = full.M, full.Gamma
	}
	a := l.Position
	if a[1] == 0 && a[3] == 0 {
		var x1, x2, y1, y2 int
		out.X, x1, x2 = along(a[0], a[2], image.W, p.W, scene.W)
		out.Y, y1, y2 = along(a[4], a[5], image.H, p.H, scene.H)
		out.Area = out.Area.Common(engine.Area{X1: x1, Y1: y1, X2: x2, Y2: y2})
		return out, l.Weight > 0 && !out.Area.Empty()
	}
	inverse, ok := a.Inverse()
	if !ok {
		return out, false
	}
	around := a.Box(box.Box{X2: float32(image.W), Y2: float32(image.H)})
	around = box.Box{X1: around.X1 - 1, Y1: around.Y1 - 1, X2: around.X2 + 1, Y2: around.Y2 + 1}
	out.Area = out.Area.Common(areaOf(scene, around))
	out.Map, ok = whole(inverse.Then(augment.Scale(float64(p.W)/float64(image.W), float64(p.H)/float64(image.H))), scene)
	return out, ok && l.Weight > 0 && !out.Area.Empty()
}

// nearly is the largest difference in px that is taken for the rounding of composed maps.
const nearly = 1e-6

// along maps the columns (or rows) of a canvas to those of an image. Its side is listed px long, which are scaled and moved onto the canvas,
// and has decoded px. The centres of the columns from..to are in the image.
func along(scale, move float64, listed, decoded, canvas int) (a engine.Axis, from, to int) {
	size := math.Abs(scale) * float64(listed)
	low := move
	if scale < 0 {
		low -= size
	}
	if !(size > 0) || math.IsInf(size, 0) || math.IsNaN(low) || math.IsInf(low, 0) {
		return a, 0, 0
	}
	a = engine.Axis{Step: float64(decoded) / size, Mirror: scale < 0}
	if n := math.Round(size); n > 0 && math.Abs(size-n) < nearly && math.Abs(low) < nearly {
		// torch.nn.functional.interpolate rounds the ratio to float32, and nothing else: 1e-7 of it move a pixel by 1e-4.
		a.Step, low = float64(float32(decoded)/float32(n)), 0
	}
	a.Start = -low*a.Step - .5
	inside := func(i int) bool {
		at := (float64(i)+.5)*a.Step + a.Start
		return at >= -.5 && at < float64(decoded)-.5
	}
	for from < canvas && !inside(from) {
		from++
	}
	to = from
	for to < canvas && inside(to) {
		to++
	}
	return a, from, to
}

// whole returns a map from px of the canvas to px of an image in whole numbers, or false if positions exceed engine.MapLimit.
func whole(a augment.Affine, scene augment.Scene) (m engine.Map, ok bool) {
	for _, x := range [2]float64{0, float64(scene.W)} {
		for _, y := range [2]float64{0, float64(scene.H)} {
			if u, v := a.Point(x, y); !(math.Abs(u) < engine.MapLimit && math.Abs(v) < engine.MapLimit) {
				return m, false
			}
		}
	}
	a[2], a[5] = a.Point(.5, .5)
	for i, v := range a {
		m[i] = int64(math.Round(v * (1 << 32)))
	}
	return m, true
}

// areaOf returns the pixels of the canvas whose centres are in b.
func areaOf(scene augment.Scene, b box.Box) engine.Area {
	first := func(v float32, n int) int {
		if !(v > 0) {
			return 0
		}
		return int(math.Ceil(math.Min(float64(v), float64(n)) - .5))
	}
	return engine.Area{X1: first(b.X1, scene.W), Y1: first(b.Y1, scene.H), X2: first(b.X2, scene.W), Y2: first(b.Y2, scene.H)}
}
