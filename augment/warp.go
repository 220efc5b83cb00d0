package augment

import (
	"math"

	"retinago/internal/kinds"
)

var warpKinds = []Kind{
	{Kind: kinds.Kind{Name: "rotate", Text: "turns around the centre by up to so many degrees, to either side; a box becomes the one around its turned corners",
		Params: []kinds.Param{probability(.5), {Key: "degrees", Default: 10, Max: 45, Text: "largest angle"}}},
		apply: func(d *draw) { d.rotate(d.angle()) }},
	{Kind: kinds.Kind{Name: "shear", Text: "shears both ways by up to so many degrees, around the centre",
		Params: []kinds.Param{probability(.5), {Key: "degrees", Default: 5, Max: 45, Text: "largest angle"}}},
		apply: func(d *draw) { d.shear(d.angle(), d.angle()) }},
	{Kind: kinds.Kind{Name: "translate", Text: "moves by up to a share of the width and of the height",
		Params: []kinds.Param{probability(.5), {Key: "share", Default: .1, Max: 1, Text: "largest move"}}},
		apply: func(d *draw) {
			s := d.get("share")
			d.shift(math.Round(d.between(-s, s)*d.w), math.Round(d.between(-s, s)*d.h))
		}},
}

// angle draws up to the setting degrees to either side, in radians.
func (d *draw) angle() float64 {
	most := degrees(d.get("degrees"))
	return d.between(-most, most)
}

// rotate turns the frame's content clockwise around its centre by an angle in radians.
func (p *plan) rotate(angle float64) { p.move(Rotate(angle).Around(p.w/2, p.h/2), p.w, p.h) }

// shear moves what lies below the centre sideways, and what lies right of it down, by angles in radians.
func (p *plan) shear(x, y float64) {
	p.move(Shear(math.Tan(x), math.Tan(y)).Around(p.w/2, p.h/2), p.w, p.h)
}

// shift moves the frame's content by px.
func (p *plan) shift(x, y float64) { p.move(Translate(x, y), p.w, p.h) }
