package train

import (
	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
)

// adamParams are the settings of adam and adamw.
var adamParams = []Param{
	{"beta1", "0.9", "0", "1", "decay of the mean of gradients; below 1"},
	{"beta2", "0.999", "0", "1", "decay of the mean of their squares; below 1"},
	{"eps", "1e-08", "0", "1e+09", "added to the root of the squares' mean; above 0"},
}

// adam is Kingma and Ba 2015, algorithm 1. Weight decay is added to the gradient.
var adam = OptimizerKind{
	Name: "adam", Moments: 2, Params: adamParams,
	Text: "Adam (Kingma and Ba 2015), weight decay added to the gradient",
	New:  func(c config.Train) Rule { return newAdamRule(c, false) },
}

// adamW is Loshchilov and Hutter 2019, algorithm 2.
var adamW = OptimizerKind{
	Name: "adamw", Moments: 2, Params: adamParams,
	Text: "Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)",
	New:  func(c config.Train) Rule { return newAdamRule(c, true) },
}

type adamRule struct{ p engine.AdamParams }

func newAdamRule(c config.Train, decoupled bool) adamRule {
	return adamRule{engine.AdamParams{Beta1: float32(c.Beta1), Beta2: float32(c.Beta2), Eps: float32(c.Eps), Decoupled: decoupled}}
}

func (r adamRule) Update(e engine.Engine, w *tensor.Dense, m []*tensor.Dense, g *tensor.Dense, a At) error {
	p := r.p
	p.LR, p.Decay, p.Scale, p.Step = a.LR, a.Decay, a.Scale, a.Step
	return e.Adam(w, m[0], m[1], g, p)
}

func (r adamRule) Configure(p *engine.UpdateParams) { p.Adam = &r.p }
