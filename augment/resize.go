package augment

import (
	"math"

	"retinago/internal/kinds"
)

// Bounds of sides in px, as package config has them.
const (
	leastImage = 16
	mostImage  = 16384
)

var resizeKinds = []Kind{
	{Kind: kinds.Kind{Name: "short_side", Text: "draws the short side of each image, which the canvas bounds; it undoes other changes of scale before it",
		Params: []kinds.Param{probability(1), {Key: "min", Default: 480, Min: leastImage, Max: mostImage, Whole: true, Text: "px"},
			{Key: "max", Default: 800, Min: leastImage, Max: mostImage, Whole: true, Text: "px"}}},
		apply: func(d *draw) {
			lo, hi := int(d.get("min")), int(d.get("max"))
			d.fit(lo + d.IntN(hi-lo+1))
		}},
	{Kind: kinds.Kind{Name: "scale_jitter", Text: "scales the image on its canvas; a larger one is cropped to the canvas at random, a smaller one lies at its top left (Ghiasi et al. 2021)",
		Params: []kinds.Param{probability(1), {Key: "min", Default: .1, Min: .05, Max: 10, Text: "least factor"},
			{Key: "max", Default: 2, Min: .05, Max: 10, Text: "largest factor"}}},
		apply: func(d *draw) {
			d.scale(d.drawn())
			x, y := d.offset(d.w-float64(d.canvas.W)), d.offset(d.h-float64(d.canvas.H))
			d.crop(x, y, float64(d.canvas.W), float64(d.canvas.H))
		}},
}

// scale multiplies the sides of the frame, to whole px. What fit and native take for the scale of the image stays.
func (p *plan) scale(factor float64) {
	w, h := whole(p.w*factor), whole(p.h*factor)
	p.move(Scale(w/p.w, h/p.h), w, h)
}

// crop leaves a window of at most w x h px of the frame.
func (p *plan) crop(x, y, w, h float64) {
	p.move(Translate(-x, -y), math.Min(w, p.w-x), math.Min(h, p.h-y))
}
