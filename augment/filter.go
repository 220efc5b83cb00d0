package augment

import "retinago/internal/kinds"

var filterKinds = []Kind{
	{Kind: kinds.Kind{Name: "noise", Text: "adds normal noise to each channel of each pixel",
		Params: []kinds.Param{probability(.2), {Key: "max", Default: 10, Max: 255, Text: "largest standard deviation, of 255"}}},
		apply: func(d *draw) {
			d.filter(Filter{Kind: Noise, Value: d.between(0, d.get("max")), Seed: d.Uint64()})
		}},
	{Kind: kinds.Kind{Name: "blur", Text: "blurs by a Gaussian",
		Params: []kinds.Param{probability(.1), {Key: "max", Default: 1.5, Max: 20, Text: "largest standard deviation, px of the image"}}},
		apply: func(d *draw) { d.filter(Filter{Kind: Blur, Value: d.between(0, d.get("max"))}) }},
	{Kind: kinds.Kind{Name: "jpeg", Text: "encodes and decodes as JPEG",
		Params: []kinds.Param{probability(.2), {Key: "min", Default: 40, Min: 1, Max: 100, Whole: true, Text: "least quality"},
			{Key: "max", Default: 95, Min: 1, Max: 100, Whole: true, Text: "largest quality"}}},
		apply: func(d *draw) {
			lo, hi := int(d.get("min")), int(d.get("max"))
			d.filter(Filter{Kind: JPEG, Value: float64(lo + d.IntN(hi-lo+1))})
		}},
}

// filter adds a filter to the images of all layers.
func (p *plan) filter(f Filter) {
	for i := range p.layers {
		p.layers[i].Filters = append(p.layers[i].Filters, f)
	}
}
