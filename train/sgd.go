package train

import (
	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
)

// sgd is stochastic gradient descent in PyTorch's form: g' = g + decay*w; m = momentum*m + g'; w -= lr * m, or with Nesterov's
// momentum w -= lr * (g' + momentum*m).
var sgd = OptimizerKind{
	Name: "sgd", Moments: 1,
	Text: "stochastic gradient descent with momentum",
	Params: []Param{
		{"momentum", "0.9", "0", "1", "share of the last step's direction that is kept; below 1"},
		{"nesterov", "false", "false", "true", "Nesterov's momentum"},
	},
	New: func(c config.Train) Rule {
		return sgdRule{engine.SGDParams{Momentum: float32(c.Momentum), Nesterov: c.Nesterov}}
	},
}

type sgdRule struct{ p engine.SGDParams }

func (r sgdRule) Update(e engine.Engine, w *tensor.Dense, m []*tensor.Dense, g *tensor.Dense, a At) error {
	p := r.p
	p.LR, p.Decay, p.Scale = a.LR, a.Decay, a.Scale
	return e.SGD(w, m[0], g, p)
}

func (r sgdRule) Configure(p *engine.UpdateParams) {
	p.Momentum, p.Nesterov = r.p.Momentum, r.p.Nesterov
}
