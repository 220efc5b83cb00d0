package loss

import (
	"fmt"

	"retinago/internal/kinds"
)

// Normalizer holds the divisor of the sums of losses over anchors.
type Normalizer struct {
	Kind string  // the name of one of Normalizers
	EMA  float64 // moving average of positives per batch, for "ema"
}

// Normalizers are the kinds of Normalizer.
var Normalizers = []kinds.Kind{
	{Name: "positives", Text: "the positive anchors of the batch (Lin et al. 2017, section 4.1)"},
	{Name: "image", Text: "the positive anchors of each image, then the mean over images (torchvision)"},
	{Name: "ema", Text: "a moving average of the batch's positive anchors (detectron2)"},
	{Name: "anchors", Text: "the anchors of the batch that are not ignored"},
}

// NewNormalizer starts a moving average at 100 positives, as detectron2 does.
func NewNormalizer(kind string) (*Normalizer, error) {
	if _, err := kinds.Find(Normalizers, "normaliser", kind); err != nil {
		return nil, fmt.Errorf("loss: %w", err)
	}
	return &Normalizer{Kind: kind, EMA: 100}, nil
}

// Observe updates the average of "ema" with the positive anchors of a batch; with other kinds it does nothing. Factors calls it.
func (n *Normalizer) Observe(positives int) {
	if n.Kind == "ema" {
		n.EMA = float64(.9*n.EMA) + float64(.1*float64(max(positives, 1)))
	}
}

// Factors returns the factor of each image's loss, given its positive anchors and all that are not ignored. A
// divisor is at least 1.
func (n *Normalizer) Factors(positives, counted []int) []float32 {
	total, anchors := 0, 0
	for i, p := range positives {
		total += p
		anchors += counted[i]
	}
	f := make([]float32, len(positives))
	n.Observe(total)
	for i, p := range positives {
		switch n.Kind {
		case "positives":
			f[i] = 1 / float32(max(total, 1))
		case "image":
			f[i] = 1 / (float32(len(positives)) * float32(max(p, 1)))
		case "ema":
			f[i] = float32(1 / max(n.EMA, 1))
		case "anchors":
			f[i] = 1 / float32(max(anchors, 1))
		}
	}
	return f
}
