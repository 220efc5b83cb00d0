package augment

import (
	"math"

	"retinago/internal/kinds"
)

// factors are the settings of a policy that draws a factor.
func factors(p, lo, hi float64) []kinds.Param {
	return []kinds.Param{probability(p), {Key: "min", Default: lo, Max: 10, Text: "least factor"}, {Key: "max", Default: hi, Max: 10, Text: "largest factor"}}
}

var toneKinds = []Kind{
	{Kind: kinds.Kind{Name: "brightness", Text: "multiplies colours", Params: factors(.5, .8, 1.2)},
		apply: func(d *draw) { d.paint(Brightness(d.drawn())) }},
	{Kind: kinds.Kind{Name: "contrast", Text: "multiplies the distance of colours from mid-grey", Params: factors(.5, .8, 1.2)},
		apply: func(d *draw) { d.paint(Contrast(d.drawn())) }},
	{Kind: kinds.Kind{Name: "saturation", Text: "multiplies the distance of colours from the grey of their luma", Params: factors(.5, .7, 1.3)},
		apply: func(d *draw) { d.paint(Saturation(d.drawn())) }},
	{Kind: kinds.Kind{Name: "hue", Text: "turns colours around the axis of greys (Haeberli 1993)",
		Params: []kinds.Param{probability(.5), {Key: "degrees", Default: 18, Max: 180, Text: "largest angle, to either side"}}},
		apply: func(d *draw) { d.paint(Hue(d.angle())) }},
	{Kind: kinds.Kind{Name: "gamma", Text: "raises colours in [0,1] to a power, after all other colours",
		Params: []kinds.Param{probability(.5), {Key: "min", Default: .8, Min: .1, Max: 10, Text: "least power"}, {Key: "max", Default: 1.25, Min: .1, Max: 10, Text: "largest power"}}},
		apply: func(d *draw) {
			d.paint(Colour{Gamma: float32(math.Exp(d.between(math.Log(d.get("min")), math.Log(d.get("max")))))})
		}},
	{Kind: kinds.Kind{Name: "gray", Text: "takes the luma for all channels", Params: []kinds.Param{probability(.1)}},
		apply: func(d *draw) { d.paint(Saturation(0)) }},
	{Kind: kinds.Kind{Name: "channel_order", Text: "exchanges red, green and blue at random", Params: []kinds.Param{probability(.5)}},
		apply: func(d *draw) { d.paint(Channels([3]int(d.Perm(3)))) }},
}

// paint changes the colours of all layers.
func (p *plan) paint(c Colour) {
	for i, l := range p.layers {
		p.layers[i].Colour = l.Colour.Then(c)
	}
}

// Brightness multiplies colours by a factor.
func Brightness(f float64) Colour {
	v := float32(f)
	return Colour{M: [12]float32{v, 0, 0, 0, 0, v, 0, 0, 0, 0, v, 0}}
}

// Contrast multiplies the distance of colours from mid-grey, 127.5, by a factor.
func Contrast(f float64) Colour {
	v, add := float32(f), float32(127.5*(1-f))
	return Colour{M: [12]float32{v, 0, 0, add, 0, v, 0, add, 0, 0, v, add}}
}

// luma is the weight of R, G and B in the grey of a colour (ITU-R BT.601).
var luma = [3]float64{.299, .587, .114}

// Saturation multiplies the distance of colours from the grey of the same luma by a factor: 0 leaves greys.
func Saturation(f float64) Colour {
	var c Colour
	for row := range 3 {
		for col := range 3 {
			v := (1 - f) * luma[col]
			if row == col {
				v += f
			}
			c.M[4*row+col] = float32(v)
		}
	}
	return c
}

// Hue turns colours around the axis of greys by an angle in radians: a third of a turn takes red to green, green to blue and blue to red.
func Hue(angle float64) Colour {
	sin, cos := math.Sincos(angle)
	side, turn := (1-cos)/3, sin/math.Sqrt(3)
	same, next, last := float32(cos+side), float32(side-turn), float32(side+turn)
	return Colour{M: [12]float32{same, next, last, 0, last, same, next, 0, next, last, same, 0}}
}

// Channels takes channel order[k] for channel k.
func Channels(order [3]int) Colour {
	var c Colour
	for row, col := range order {
		c.M[4*row+col] = 1
	}
	return c
}
