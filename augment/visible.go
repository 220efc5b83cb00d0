package augment

import "retinago/box"

// leastSide is the side in px of the canvas below which an object is dropped.
const leastSide = 1

// visible returns the objects that can be seen, with the parts of their boxes that are drawn. An object that is cut at an edge, or lies
// below an opaque layer or a rectangle without an image, must keep at least a share least of its area; of a crowd any part is enough.
// What lies above an object does not change its box.
func (p *plan) visible(least float64) []Object {
	var out []Object
	for _, o := range p.objects {
		whole := p.at(o)
		drawn := common(whole, p.layers[o.layer].Clip)
		seen := uncovered(drawn, p.above(o.layer))
		if o.dropped || seen == 0 {
			continue
		}
		small := drawn.W() < leastSide || drawn.H() < leastSide
		if !o.Crowd && (small || seen < least*area(whole)) {
			continue
		}
		o.Box = drawn
		out = append(out, o.Object)
	}
	return out
}

// above returns what hides a layer.
func (p *plan) above(layer int) []box.Box {
	boxes := p.fill
	for _, l := range p.layers[layer+1:] {
		if l.Weight >= 1 {
			boxes = append(boxes[:len(boxes):len(boxes)], l.Clip)
		}
	}
	return boxes
}

// area is b.Area() in float64.
func area(b box.Box) float64 {
	return max(float64(b.X2)-float64(b.X1), 0) * max(float64(b.Y2)-float64(b.Y1), 0)
}

// uncovered returns the area of b that none of the other boxes covers.
func uncovered(b box.Box, others []box.Box) float64 {
	for i, o := range others {
		c := common(b, o)
		if c.Area() == 0 {
			continue
		}
		// What c leaves of b: above, below, left and right of it.
		var sum float64
		for _, rest := range [4]box.Box{
			{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: c.Y1}, {X1: b.X1, Y1: c.Y2, X2: b.X2, Y2: b.Y2},
			{X1: b.X1, Y1: c.Y1, X2: c.X1, Y2: c.Y2}, {X1: c.X2, Y1: c.Y1, X2: b.X2, Y2: c.Y2},
		} {
			if area(rest) > 0 {
				sum += uncovered(rest, others[i+1:])
			}
		}
		return sum
	}
	return area(b)
}
