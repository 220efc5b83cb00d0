package augment

import "retinago/internal/kinds"

var mirrorKinds = []Kind{
	{Kind: kinds.Kind{Name: "hflip", Text: "mirrors from left to right; `data.flip` is one, which an entry of this name replaces",
		Params: []kinds.Param{probability(.5)}}, apply: func(d *draw) { d.mirrorX() }},
	{Kind: kinds.Kind{Name: "vflip", Text: "mirrors from top to bottom, for images from above",
		Params: []kinds.Param{probability(.5)}}, apply: func(d *draw) { d.mirrorY() }},
	{Kind: kinds.Kind{Name: "quarter_turns", Text: "turns by 90, 180 or 270 degrees, and fits the image to the canvas again",
		Params: []kinds.Param{probability(.5)}}, apply: func(d *draw) { d.quarters(1 + d.IntN(3)) }},
}

func (p *plan) mirrorX() { p.move(FlipX(p.w), p.w, p.h) }

func (p *plan) mirrorY() { p.move(FlipY(p.h), p.w, p.h) }

// quarters turns the frame clockwise, n times by 90 degrees.
func (p *plan) quarters(n int) {
	for range n {
		p.move(Affine{0, -1, p.h, 1, 0, 0}, p.h, p.w)
		p.sx, p.sy = p.sy, p.sx
	}
	if n%2 == 1 {
		p.fit(p.canvas.Short)
	}
}
