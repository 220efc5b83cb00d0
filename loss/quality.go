package loss

import (
	"math"

	"retinago/internal/kinds"
)

// QualityFocal is QFL(p) = |y-p|^beta CE(p, y), where y is the quality for the labelled class and 0 for the others
// (Li et al. 2020, "Generalized Focal Loss", eq. 3; the paper's Beta is 2).
type QualityFocal struct{ Beta float64 }

// Varifocal is -q (q log p + (1-q) log(1-p)) for the labelled class with quality q > 0, and -alpha p^gamma log(1-p)
// elsewhere (Zhang et al. 2021, "VarifocalNet", eq. 2; the paper's Alpha is .75, Gamma 2).
type Varifocal struct{ Alpha, Gamma float64 }

var (
	_ QualityLoss = QualityFocal{}
	_ QualityLoss = Varifocal{}
)

var qualityKinds = []Kind{
	{
		Kind: kinds.Kind{Name: "quality", Text: "quality focal loss (Li et al. 2020, eq. 3): objects learn the IoU of their box",
			Params: []kinds.Param{gammaParam}},
		Quality:  func(p Params) QualityLoss { return QualityFocal{Beta: p.Gamma} },
		Focusing: true,
	},
	{
		Kind: kinds.Kind{Name: "varifocal", Text: "varifocal loss (Zhang et al. 2021, eq. 2)", Params: []kinds.Param{
			{Key: "alpha", Default: .75, Max: 1, Text: "weight of background"}, gammaParam,
		}},
		Quality:  func(p Params) QualityLoss { return Varifocal{Alpha: p.Alpha, Gamma: p.Gamma} },
		Focusing: true,
	},
}

// Eval sums the loss.
func (f QualityFocal) Eval(grad, logits []float32, labels []int32, quality []float32) float64 {
	return soft(grad, logits, labels, quality, func(x, y float64) (float64, float64) {
		p := sigmoid(x)
		ce := crossEntropy(x, y)
		d := math.Abs(y - p)
		w := math.Pow(d, f.Beta)
		slope := w * (p - y) // of the cross entropy
		if d > 0 {
			slope += f.Beta * w / d * math.Copysign(p*(1-p), p-y) * ce
		}
		return w * ce, slope
	})
}

// Eval sums the loss.
func (f Varifocal) Eval(grad, logits []float32, labels []int32, quality []float32) float64 {
	return soft(grad, logits, labels, quality, func(x, q float64) (float64, float64) {
		p := sigmoid(x)
		if q > 0 {
			return q * crossEntropy(x, q), q * (p - q)
		}
		w := f.Alpha * math.Pow(p, f.Gamma)
		return w * softplus(x), w * (f.Gamma*(1-p)*softplus(x) + p)
	})
}

// crossEntropy is -y log p - (1-y) log(1-p) with p = sigmoid(x).
func crossEntropy(x, y float64) float64 { return y*softplus(-x) + (1-y)*softplus(x) }

// soft sums a loss over every logit x with its target y; f returns loss and slope by x.
func soft(grad, logits []float32, labels []int32, quality []float32, f func(x, y float64) (loss, slope float64)) float64 {
	if len(quality) != len(labels) {
		panic("loss: qualities and labels differ in number")
	}
	return rows(grad, logits, labels, func(g, x []float32, i int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y := 0.0
			if int32(c) == label {
				y = float64(quality[i])
			}
			l, s := f(float64(v), y)
			sum += l
			if g != nil {
				g[c] = float32(s)
			}
		}
		return sum
	})
}
