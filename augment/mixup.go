package augment

import (
	"math"
	"math/rand/v2"

	"retinago/internal/kinds"
)

var mixupKinds = []Kind{
	{Kind: kinds.Kind{Name: "mixup", Text: "draws another image over the scene, half transparent, with the objects of both (Zhang et al. 2018; Zhang et al. 2019 for detection)",
		Params: []kinds.Param{probability(.15), {Key: "alpha", Default: 8, Min: 1, Max: 100, Text: "the weight is Beta(alpha, alpha): the larger, the nearer to a half"}}},
		Combines: true, Early: true,
		apply: func(d *draw) {
			weight := beta(d.Rand, d.get("alpha"))
			if other := d.further(0); other != nil {
				d.mix(other, weight)
			}
		}},
}

// mix draws another plan over this one with a weight in [0,1].
func (p *plan) mix(other *plan, weight float64) {
	for i := range other.layers {
		other.layers[i].Weight *= float32(weight)
	}
	p.add(other)
}

// beta draws from Beta(alpha, alpha), alpha at least 1.
func beta(r *rand.Rand, alpha float64) float64 {
	a, b := gamma(r, alpha), gamma(r, alpha)
	return a / (a + b)
}

// gamma draws from the gamma distribution of a shape of at least 1 (Marsaglia and Tsang 2000).
func gamma(r *rand.Rand, shape float64) float64 {
	d := shape - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
