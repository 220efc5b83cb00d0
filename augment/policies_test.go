package augment

import (
	"math"
	"math/rand/v2"
	"testing"

	"retinago/box"
)

// set is a training set in memory.
type set []Image

func (s set) Len() int          { return len(s) }
func (s set) Image(i int) Image { return s[i] }

var (
	object1 = box.Box{X1: 100, Y1: 50, X2: 200, Y2: 120}
	// landscape is 640x480 px, as large as its canvas.
	landscape = Image{W: 640, H: 480, Objects: []Object{{Box: object1}}}
	same      = Canvas{W: 640, H: 480, Short: 480, Long: 640}
)

// where returns the box of a plan's first object.
func where(p *plan) box.Box { return p.at(p.objects[0]) }

// drawing is a draw of a policy on an image, and the same random numbers once more.
func drawing(t *testing.T, p Policy, im Image, c Canvas, seed int) (*draw, *rand.Rand) {
	t.Helper()
	planner, err := NewPlanner(set{im}, []Policy{p}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := append(planner.single, planner.combined...)[0]
	a := Address{Seed: uint64(seed)}
	return &draw{Rand: a.Rand(p.Name), plan: newPlan(0, im, c), step: s, origin: origin{planner, Place{}, a, c}}, a.Rand(p.Name)
}

// The image without policies lies as torchvision's GeneralizedRCNNTransform scales it.
func TestFirstPlan(t *testing.T) {
	t.Parallel()
	p := newPlan(0, Image{W: 640, H: 424, Objects: []Object{{Box: object1}}}, Canvas{W: 1216, H: 800, Short: 800, Long: 1333})
	if p.w != 1207 || p.h != 799 {
		t.Fatalf("%v x %v", p.w, p.h)
	}
	x, y := 1207./640, 799./424
	nearBox(t, "box", where(p), box.Box{X1: float32(100 * x), Y1: float32(50 * y), X2: float32(200 * x), Y2: float32(120 * y)})
	// An image of another ratio than its canvas becomes as large as fits.
	p = newPlan(0, Image{W: 480, H: 640}, same)
	if p.w != 360 || p.h != 480 {
		t.Errorf("%v x %v", p.w, p.h)
	}
}

// torchvision.transforms.v2: RandomHorizontalFlip maps x to w-x, RandomVerticalFlip y to h-y.
func TestMirrors(t *testing.T) {
	t.Parallel()
	p := newPlan(0, landscape, same)
	p.mirrorX()
	nearBox(t, "hflip", where(p), box.Box{X1: 440, Y1: 50, X2: 540, Y2: 120})
	p.mirrorY()
	nearBox(t, "both", where(p), box.Box{X1: 440, Y1: 360, X2: 540, Y2: 430})
}

func TestQuarters(t *testing.T) {
	t.Parallel()
	p := newPlan(0, landscape, Canvas{W: 640, H: 640, Short: 480, Long: 640})
	p.quarters(1) // (x,y) to (480-y, x)
	nearBox(t, "one", where(p), box.Box{X1: 360, Y1: 100, X2: 430, Y2: 200})
	p.quarters(1)
	nearBox(t, "two", where(p), box.Box{X1: 440, Y1: 360, X2: 540, Y2: 430})
	p.quarters(2)
	nearBox(t, "four", where(p), object1)
	p = newPlan(0, landscape, same)
	p.quarters(1) // the frame of 480x640 px becomes 360x480 on this canvas
	if p.w != 360 || p.h != 480 {
		t.Errorf("%v x %v", p.w, p.h)
	}
	nearBox(t, "fitted", where(p), box.Box{X1: 270, Y1: 75, X2: 322.5, Y2: 150})
}

// torchvision's affine: T * C * [cos -sin; sin cos] * C^-1 of the corners, and the box around them.
func TestRotate(t *testing.T) {
	t.Parallel()
	for _, angle := range []float64{-.7, -.1, 0, .3, math.Pi / 2} {
		p := newPlan(0, landscape, same)
		p.rotate(angle)
		want := box.Box{X1: math.MaxFloat32, Y1: math.MaxFloat32, X2: -math.MaxFloat32, Y2: -math.MaxFloat32}
		for _, c := range [][2]float64{{100, 50}, {200, 50}, {100, 120}, {200, 120}} {
			x, y := c[0]-320, c[1]-240
			u, v := float32(320+math.Cos(angle)*x-math.Sin(angle)*y), float32(240+math.Sin(angle)*x+math.Cos(angle)*y)
			want = box.Box{X1: min(want.X1, u), Y1: min(want.Y1, v), X2: max(want.X2, u), Y2: max(want.Y2, v)}
		}
		nearBox(t, "rotate", where(p), want)
	}
}

func TestShear(t *testing.T) {
	t.Parallel()
	p := newPlan(0, landscape, same)
	p.shear(math.Atan(.1), 0) // x moves by .1*(y-240): -19 at the top of the box, -12 at its bottom
	nearBox(t, "x", where(p), box.Box{X1: 81, Y1: 50, X2: 188, Y2: 120})
	p = newPlan(0, landscape, same)
	p.shear(0, math.Atan(.1)) // y moves by .1*(x-320): -22 at the left, -12 at the right
	nearBox(t, "y", where(p), box.Box{X1: 100, Y1: 28, X2: 200, Y2: 108})
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for seed := range 50 {
		d, r := drawing(t, Policy{Name: "translate"}, landscape, same, seed)
		d.step.kind.apply(d)
		x := float32(math.Round((2*r.Float64() - 1) * .1 * 640))
		y := float32(math.Round((2*r.Float64() - 1) * .1 * 480))
		nearBox(t, "translate", where(d.plan), box.Box{X1: 100 + x, Y1: 50 + y, X2: 200 + x, Y2: 120 + y})
		nearBox(t, "clip", d.layers[0].Clip, box.Box{X1: max(x, 0), Y1: max(y, 0), X2: min(640, 640+x), Y2: min(480, 480+y)})
	}
}

// torchvision's ScaleJitter: both sides times r, to whole px, and boxes by their ratios; then FixedSizeCrop.
func TestScaleJitter(t *testing.T) {
	t.Parallel()
	for seed := range 200 {
		d, r := drawing(t, Policy{Name: "scale_jitter"}, landscape, same, seed)
		d.step.kind.apply(d)
		f := .1 + 1.9*r.Float64()
		w, h := math.Floor(640*f), math.Floor(480*f)
		left, top := math.Floor(max(w-640, 0)*r.Float64()), math.Floor(max(h-480, 0)*r.Float64())
		x, y := w/640, h/480
		nearBox(t, "scale_jitter", where(d.plan), box.Box{X1: float32(100*x - left), Y1: float32(50*y - top), X2: float32(200*x - left), Y2: float32(120*y - top)})
		if d.w != min(w, 640) || d.h != min(h, 480) {
			t.Errorf("a frame of %v x %v, scaled by %v", d.w, d.h, f)
		}
	}
}

// torchvision's RandomShortestSize: r is the short side by the image's, at most so that the long side keeps within its bound; sides are
// whole px.
func TestShortSide(t *testing.T) {
	t.Parallel()
	seen := map[float64]bool{}
	for seed := range 200 {
		d, r := drawing(t, Policy{"short_side", settings{"min": 300, "max": 500}}, landscape, Canvas{W: 640, H: 640, Short: 480, Long: 600}, seed)
		d.step.kind.apply(d)
		short := 300 + r.IntN(201)
		w, h := Resized(640, 480, short, 600)
		near(t, "width", d.w, w)
		near(t, "height", d.h, h)
		if math.Abs(d.h-float64(short)) > 1 && d.w != 600 {
			t.Errorf("%v x %v at %d", d.w, d.h, short)
		}
		nearBox(t, "short_side", where(d.plan), object1.Scale(float32(w/640), float32(h/480)))
		seen[d.h] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d heights", len(seen))
	}
}

// torchvision's RandomZoomOut: an image of r times the sides, in whole px, with the image at left and top; here it is then scaled back.
func TestZoomOut(t *testing.T) {
	t.Parallel()
	for seed := range 200 {
		d, r := drawing(t, Policy{Name: "zoom_out"}, landscape, same, seed)
		d.step.kind.apply(d)
		f := 1 + 3*r.Float64()
		w, h := math.Floor(640*f), math.Floor(480*f)
		left, top := math.Floor((w-640)*r.Float64()), math.Floor((h-480)*r.Float64())
		// Back onto the canvas, in whole px.
		fw, fh := same.fit(w, h, 480)
		x, y := fw/w, fh/h
		nearBox(t, "zoom_out", where(d.plan), box.Box{X1: float32((100 + left) * x), Y1: float32((50 + top) * y), X2: float32((200 + left) * x), Y2: float32((120 + top) * y)})
		nearBox(t, "clip", d.layers[0].Clip, box.Box{X1: float32(left * x), Y1: float32(top * y), X2: float32((640 + left) * x), Y2: float32((480 + top) * y)})
		if d.w > 640 || d.h > 480 || d.w < 638 && d.h < 478 {
			t.Errorf("a frame of %v x %v", d.w, d.h)
		}
	}
}

// torchvision's RandomIoUCrop: the window has the ratio and the IoU that it must have, keeps objects whose centres are inside, and boxes
// move by its corner.
func TestIoUCrop(t *testing.T) {
	t.Parallel()
	im := landscape
	im.Objects = []Object{{Box: object1}, {Box: box.Box{X1: 300, Y1: 200, X2: 600, Y2: 400}}, {Box: box.Box{X1: 10, Y1: 400, X2: 60, Y2: 470}}}
	whole, cropped, droppedSome := 0, 0, 0
	for seed := range 300 {
		d, r := drawing(t, Policy{Name: "iou_crop"}, im, same, seed)
		d.step.kind.apply(d)
		window, ok := torchvisionCrop(r, im)
		if !ok {
			whole++
			nearBox(t, "whole", where(d.plan), object1)
			continue
		}
		cropped++
		fw, fh := same.fit(float64(window.W()), float64(window.H()), 480)
		x, y := float32(fw)/window.W(), float32(fh)/window.H()
		for i, o := range im.Objects {
			b := o.Box
			cx, cy := (b.X1+b.X2)/2, (b.Y1+b.Y2)/2
			out := !(window.X1 < cx && cx < window.X2 && window.Y1 < cy && cy < window.Y2)
			if d.objects[i].dropped != out {
				t.Errorf("object %d is dropped: %v, window %v", i, !out, window)
			}
			if out {
				droppedSome++
				continue
			}
			nearBox(t, "iou_crop", d.at(d.objects[i]), box.Box{X1: (b.X1 - window.X1) * x, Y1: (b.Y1 - window.Y1) * y, X2: (b.X2 - window.X1) * x, Y2: (b.Y2 - window.Y1) * y})
		}
	}
	if whole < 20 || cropped < 100 || droppedSome < 50 {
		t.Errorf("%d whole, %d cropped, %d dropped", whole, cropped, droppedSome)
	}
	// Without an object no window has an overlap.
	d, _ := drawing(t, Policy{Name: "iou_crop"}, Image{W: 640, H: 480}, same, 1)
	d.step.kind.apply(d)
	if d.w != 640 || d.h != 480 {
		t.Errorf("an image without objects is cropped to %v x %v", d.w, d.h)
	}
}

// torchvisionCrop is RandomIoUCrop with the numbers of r, in px of the image.
func torchvisionCrop(r *rand.Rand, im Image) (box.Box, bool) {
	for range 50 {
		least := []float64{0, .1, .3, .5, .7, .9, 1}[r.IntN(7)]
		if least == 1 {
			return box.Box{}, false
		}
		for range 40 {
			w, h := math.Floor(float64(im.W)*(.3+.7*r.Float64())), math.Floor(float64(im.H)*(.3+.7*r.Float64()))
			left, top := math.Floor((float64(im.W)-w)*r.Float64()), math.Floor((float64(im.H)-h)*r.Float64())
			if w/h < .5 || w/h > 2 {
				continue
			}
			best, some := 0., false
			for _, o := range im.Objects {
				x1, y1, x2, y2 := float64(o.Box.X1), float64(o.Box.Y1), float64(o.Box.X2), float64(o.Box.Y2)
				cx, cy := (x1+x2)/2, (y1+y2)/2
				if !(left < cx && cx < left+w && top < cy && cy < top+h) {
					continue
				}
				i := max(min(x2, left+w)-max(x1, left), 0) * max(min(y2, top+h)-max(y1, top), 0)
				best, some = max(best, i/((x2-x1)*(y2-y1)+w*h-i)), true
			}
			if some && best >= least {
				return box.Box{X1: float32(left), Y1: float32(top), X2: float32(left + w), Y2: float32(top + h)}, true
			}
		}
	}
	return box.Box{}, false
}

// A crop is at the image's own scale, whatever the canvas makes of whole images.
func TestCrop(t *testing.T) {
	t.Parallel()
	im := Image{W: 2000, H: 1500, Objects: []Object{{Box: object1}}}
	for seed := range 100 {
		d, r := drawing(t, Policy{"crop", settings{"size": 500}}, im, same, seed)
		d.step.kind.apply(d)
		left, top := float32(math.Floor(1500*r.Float64())), float32(math.Floor(1020*r.Float64())) // 480 px high: the canvas's
		nearBox(t, "crop", where(d.plan), box.Box{X1: 100 - left, Y1: 50 - top, X2: 200 - left, Y2: 120 - top})
		if d.w != 500 || d.h != 480 {
			t.Fatalf("a frame of %v x %v", d.w, d.h)
		}
	}
	d, _ := drawing(t, Policy{Name: "crop"}, Image{W: 100, H: 50, Objects: []Object{{Box: box.Box{X2: 10, Y2: 10}}}}, same, 1)
	d.step.kind.apply(d)
	if d.w != 100 || d.h != 50 {
		t.Errorf("a small image has a frame of %v x %v", d.w, d.h)
	}
}
