package train

import "fmt"

// Normalizer says what the sums of losses over anchors are divided by.
type Normalizer struct {
	Kind string  // "positives", "image" or "ema"
	EMA  float64 // moving average of positives per batch, for "ema"
}

// NewNormalizer starts a moving average at 100 positives, as detectron2 does.
func NewNormalizer(kind string) (*Normalizer, error) {
	switch kind {
	case "positives", "image", "ema":
		return &Normalizer{Kind: kind, EMA: 100}, nil
	}
	return nil, fmt.Errorf("train: unknown loss normaliser %q; there are positives, image and ema", kind)
}

// Factors returns what each picture's loss is multiplied with, given its positive anchors.
//
//	positives: 1/max(1, positives of the batch)                     (Lin et al. 2017, section 4.1)
//	image:     1/(N max(1, positives of the picture))               (torchvision)
//	ema:       1/max(1, moving average of positives of the batch)   (detectron2)
func (n *Normalizer) Factors(positives []int) []float32 {
	total := 0
	for _, p := range positives {
		total += p
	}
	f := make([]float32, len(positives))
	if n.Kind == "ema" {
		n.EMA = .9*n.EMA + .1*float64(max(total, 1))
	}
	for i, p := range positives {
		switch n.Kind {
		case "positives":
			f[i] = 1 / float32(max(total, 1))
		case "image":
			f[i] = 1 / (float32(len(positives)) * float32(max(p, 1)))
		case "ema":
			f[i] = float32(1 / max(n.EMA, 1))
		}
	}
	return f
}
