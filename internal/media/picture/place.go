package picture

import (
	"image"
	"iter"
	"slices"
)

// label is a text on its plate, such as that of a mark.
type label struct {
	mark  int // index
	text  string
	face  *face
	plate image.Rectangle
}

// labels finds room for the labels of marks beside captions, for the last mark's first.
func (p *Picture) labels(marks []Mark, captions []label, faces faces) []label {
	taken := p.taken(marks, faces)
	for _, l := range captions {
		taken.add(l.plate)
	}
	var placed []label
	for i, m := range slices.Backward(marks) {
		if m.Label == "" {
			continue
		}
		if l, ok := p.place(m, faces, taken); ok {
			l.mark = i
			placed = append(placed, l)
			taken.add(l.plate)
		}
	}
	return placed
}

// small reports whether no label may cover an object: it is smaller than a label of three letters, or narrower than its line.
func small(b image.Rectangle, faces faces) bool {
	_, h := faces[0].plate("")
	return min(b.Dx(), b.Dy()) < 3*h/2 || b.Dx()*b.Dy() <= 9*h*h
}

// place finds room for a mark's label: in the size of letters that suits the image and the object, or else in smaller ones, at last with a
// shorter text.
func (p *Picture) place(m Mark, faces faces, taken *occupied) (label, bool) {
	object := pixels(m.Box)
	frame, _ := p.framed(object, p.line())
	if !frame.Overlaps(p.bounds()) {
		return label{}, false
	}
	sites := sites{p: p, frame: frame, within: !small(object, faces), taken: taken}
	last := len(faces) - 1
	begun := false
	for i, f := range faces {
		text := f.shortened(m.Label, min(p.W, max(frame.Dx(), p.W/2, 12*f.px))-2*f.pad)
		_, h := f.plate(text)
		if begun = begun || i == last || text == m.Label && 4*h <= 3*min(object.Dx(), object.Dy()); !begun {
			continue // too large for this object
		}
		if l, ok := sites.label(text, f); ok {
			return l, true
		}
	}
	return sites.label(faces[last].shortened(m.Label, 5*faces[last].px), faces[last])
}

// sites are the places for the label of a mark.
type sites struct {
	p      *Picture
	frame  image.Rectangle // of the mark
	within bool            // the label may be within the frame
	taken  *occupied
}

// label is a text at the first place that is in the image and not taken.
func (s *sites) label(text string, f *face) (label, bool) {
	if text == "" {
		return label{}, false
	}
	w, h := f.plate(text)
	for at := range s.corners(w, h) {
		if plate := image.Rect(at.X, at.Y, at.X+w, at.Y+h); plate.In(s.p.bounds()) && !s.taken.meets(plate) {
			return label{text: text, face: f, plate: plate}, true
		}
	}
	return label{}, false
}

// steps are the places of a plate along a side of a frame, from one end (0) to the other (1).
var steps = []float64{0, 1, .5, .25, .75}

// corners yields the top left corners of plates of w x h pixels: above the frame, below it, within it, at its right and at its left.
func (s *sites) corners(w, h int) iter.Seq[image.Point] {
	visible := s.frame.Intersect(s.p.bounds())
	// between is a place from one end to the other, moved into the image, which is as long as most.
	between := func(from, to int, step float64, most int) int {
		return min(max(from+int(step*float64(to-from)), 0), most)
	}
	return func(yield func(image.Point) bool) {
		level := func(y int) bool {
			for _, step := range steps {
				if !yield(image.Pt(between(visible.Min.X, visible.Max.X-w, step, s.p.W-w), y)) {
					return false
				}
			}
			return true
		}
		upright := func(x int) bool {
			for _, step := range steps {
				if !yield(image.Pt(x, between(visible.Min.Y, visible.Max.Y-h, step, s.p.H-h))) {
					return false
				}
			}
			return true
		}
		within := func() bool { return !s.within || level(visible.Min.Y) && level(visible.Max.Y-h) }
		_ = level(s.frame.Min.Y-h) && level(s.frame.Max.Y) && within() && upright(s.frame.Max.X) && upright(s.frame.Min.X-w)
	}
}

// occupied are rectangles that labels must not meet, filed by the cells of a grid over the image.
type occupied struct {
	cell  int // side in pixels
	cols  int
	cells [][]image.Rectangle
	whole image.Rectangle
}

// taken are the places of small objects.
func (p *Picture) taken(marks []Mark, faces faces) *occupied {
	cell := max(p.W, p.H)/32 + 1
	o := &occupied{cell: cell, cols: p.W/cell + 1, whole: p.bounds()}
	o.cells = make([][]image.Rectangle, o.cols*(p.H/cell+1))
	for _, m := range marks {
		if b := pixels(m.Box); small(b, faces) {
			b, _ = p.framed(b, p.line())
			o.add(b)
		}
	}
	return o
}

// over yields the cells that a rectangle touches.
func (o *occupied) over(r image.Rectangle) iter.Seq[int] {
	r = r.Intersect(o.whole)
	return func(yield func(int) bool) {
		if r.Empty() {
			return
		}
		for y := r.Min.Y / o.cell; y <= (r.Max.Y-1)/o.cell; y++ {
			for x := r.Min.X / o.cell; x <= (r.Max.X-1)/o.cell; x++ {
				if !yield(y*o.cols + x) {
					return
				}
			}
		}
	}
}

func (o *occupied) add(r image.Rectangle) {
	for i := range o.over(r) {
		o.cells[i] = append(o.cells[i], r)
	}
}

// meets reports whether a rectangle overlaps one of those that were added.
func (o *occupied) meets(r image.Rectangle) bool {
	for i := range o.over(r) {
		for _, t := range o.cells[i] {
			if t.Overlaps(r) {
				return true
			}
		}
	}
	return false
}
