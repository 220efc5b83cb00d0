package box

// Box is an axis-aligned rectangle in pixels, half-open: it covers [X1,X2) x [Y1,Y2), so that its width is X2-X1.
type Box struct{ X1, Y1, X2, Y2 float32 }

// FromXYWH makes a Box of COCO's [x, y, width, height].
func FromXYWH(x, y, w, h float32) Box { return Box{x, y, x + w, y + h} }

// W returns the width in pixels.
func (b Box) W() float32 { return b.X2 - b.X1 }

// H returns the height in pixels.
func (b Box) H() float32 { return b.Y2 - b.Y1 }

// Area returns width times height, 0 for an empty or inverted box.
func (b Box) Area() float32 { return max(b.W(), 0) * max(b.H(), 0) }

// Intersect returns the common part. It is empty (zero area) if the boxes do not meet.
func (b Box) Intersect(o Box) Box {
	return Box{max(b.X1, o.X1), max(b.Y1, o.Y1), min(b.X2, o.X2), min(b.Y2, o.Y2)}
}

// IoU returns intersection over union, 0 if the union is empty.
func (b Box) IoU(o Box) float32 {
	i := b.Intersect(o).Area()
	u := b.Area() + o.Area() - i
	if u <= 0 {
		return 0
	}
	return i / u
}

// Clip limits the box to an image of w x h pixels.
func (b Box) Clip(w, h float32) Box {
	return Box{min(max(b.X1, 0), w), min(max(b.Y1, 0), h), min(max(b.X2, 0), w), min(max(b.Y2, 0), h)}
}

// Scale multiplies x by sx and y by sy.
func (b Box) Scale(sx, sy float32) Box { return Box{b.X1 * sx, b.Y1 * sy, b.X2 * sx, b.Y2 * sy} }

// FlipX mirrors the box in an image of width w.
func (b Box) FlipX(w float32) Box { return Box{w - b.X2, b.Y1, w - b.X1, b.Y2} }
