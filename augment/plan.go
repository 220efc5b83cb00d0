package augment

import "retinago/box"

// Object is an annotated object.
type Object struct {
	Box   box.Box // px of its image, or of the canvas that it is drawn onto
	Class int32
	Crowd bool // a region of many objects: ignored by training
}

// Image is an image as its dataset lists it.
type Image struct {
	W, H    int // px
	Objects []Object
}

// plan is a scene in the making: layers in a frame of w x h px at the top left of the canvas, and the objects of their images.
type plan struct {
	canvas  Canvas
	w, h    float64 // px of the frame, at whose edges layers end
	sx, sy  float64 // px of the frame for a px of the image of a single layer, without what policies draw
	layers  []Layer
	fill    []box.Box
	objects []object
}

// object is an object of a layer's image.
type object struct {
	Object      // Box is in px of the image
	layer   int // index into plan.layers
	dropped bool
}

// newPlan returns an image as it is without policies: scaled to the canvas.
func newPlan(index int, im Image, c Canvas) *plan {
	p := &plan{canvas: c, sx: 1, sy: 1, w: float64(im.W), h: float64(im.H),
		layers: []Layer{{Index: index, Position: Identity, Weight: 1, Clip: box.Box{X2: float32(im.W), Y2: float32(im.H)}}}}
	for _, o := range im.Objects {
		p.objects = append(p.objects, object{Object: o})
	}
	p.fit(c.Short)
	return p
}

// frame returns the box of a frame of w x h px.
func frame(w, h float64) box.Box { return box.Box{X2: float32(w), Y2: float32(h)} }

// common returns the common part of two boxes, the zero Box where they do not meet.
func common(a, b box.Box) box.Box {
	if c := a.Intersect(b); c.Area() > 0 {
		return c
	}
	return box.Box{}
}

// move applies a map to the frame's content and gives the frame a new size, at which layers are cut.
func (p *plan) move(a Affine, w, h float64) {
	for i := range p.layers {
		l := &p.layers[i]
		l.Position, l.Clip = l.Position.Then(a), a.Box(l.Clip)
	}
	for i := range p.fill {
		p.fill[i] = a.Box(p.fill[i])
	}
	p.w, p.h = w, h
	p.cut(frame(w, h))
}

// cut limits what is drawn to a box.
func (p *plan) cut(b box.Box) {
	for i := range p.layers {
		p.layers[i].Clip = common(p.layers[i].Clip, b)
	}
	for i := range p.fill {
		p.fill[i] = common(p.fill[i], b)
	}
}

// resize scales the frame to w x h px.
func (p *plan) resize(w, h float64) {
	x, y := w/p.w, h/p.h
	p.move(Scale(x, y), w, h)
	p.sx, p.sy = p.sx*x, p.sy*y
}

// native returns the size of the frame at the scale of the image.
func (p *plan) native() (w, h float64) { return nearest(p.w / p.sx), nearest(p.h / p.sy) }

// fit scales the frame to the canvas, as an image whose short side becomes short px.
func (p *plan) fit(short int) {
	w, h := p.native()
	p.resize(p.canvas.fit(w, h, short))
}

// nearest removes the error of a product and a quotient by the same number.
func nearest(v float64) float64 {
	if w := whole(v + .5); w-v < 1e-6 && v-w < 1e-6 {
		return w
	}
	return v
}

// add draws another plan over this one.
func (p *plan) add(q *plan) {
	for _, o := range q.objects {
		o.layer += len(p.layers)
		p.objects = append(p.objects, o)
	}
	p.layers, p.fill = append(p.layers, q.layers...), append(p.fill, q.fill...)
	p.w, p.h = max(p.w, q.w), max(p.h, q.h)
}

// at returns where an object lies in the frame, whether or not it is drawn.
func (p *plan) at(o object) box.Box { return p.layers[o.layer].Position.Box(o.Box) }

// scene returns the finished scene.
func (p *plan) scene() Scene {
	s := Scene{W: p.canvas.W, H: p.canvas.H}
	for _, l := range p.layers {
		if l.Clip.Area() > 0 {
			s.Layers = append(s.Layers, l)
		}
	}
	for _, b := range p.fill {
		if b.Area() > 0 {
			s.Fill = append(s.Fill, b)
		}
	}
	return s
}
