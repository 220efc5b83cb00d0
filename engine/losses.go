package engine

import "gorgonia.org/tensor"

// LevelLosses is an engine with the losses of one level of a pyramid that FocalParams and BoxLossParams describe.
type LevelLosses interface {
	// FocalLoss: loss [1] = sum over n of norm[n] times the focal loss of logits [N,...] seen as [N,A,K], with
	// labels [N,A] int32: a class in [0,K), -1 background, -2 ignored.
	FocalLoss(loss, logits, labels, norm *tensor.Dense, p FocalParams) error
	// FocalLossGrad: dlogits = up[0] times the gradient.
	FocalLossGrad(dlogits, logits, labels, norm, up *tensor.Dense, p FocalParams) error
	// BoxLoss: loss [1] = sum over n of norm[n] times the regression loss between deltas [N,...] seen as [N,A,4]
	// and targets [N,A,4], over anchors whose label is a class.
	BoxLoss(loss, deltas, targets, labels, norm *tensor.Dense, p BoxLossParams) error
	BoxLossGrad(ddeltas, deltas, targets, labels, norm, up *tensor.Dense, p BoxLossParams) error
}

// FocalParams describes a class loss of one binary task per logit: focal loss (Lin et al. 2017, eq. 5) or another function of
// engine/formula. A negative Alpha disables weighting; Gamma 0 of the focal loss is cross entropy.
type FocalParams struct {
	Alpha, Gamma float32
	Formula      string  // the function's name; empty is "focal"
	Beta         float32 // the function's second number; the focal loss has none
	// Columns [2,K] are factors of the classes on the tasks with the class and on those without it; nil is 1.
	Columns *tensor.Dense
}

// BoxLossParams: smooth-L1 (Girshick 2015, eq. 3, with the quadratic part below Beta), where Beta = 0 is L1; with an Alpha above 0 balanced
// L1 (Pang et al. 2019, eqs. 7 to 9), where Bend is e^(Gamma/Alpha) - 1.
type BoxLossParams struct{ Beta, Alpha, Gamma, Bend float32 }

// IoULosses is an engine with losses of the IoU of boxes.
type IoULosses interface {
	// IoULoss: loss [1] = sum over n of norm[n] times the loss between the boxes of deltas [N,...] seen as [N,A,4] and those of
	// targets [N,A,4], both of anchors [A,4] (x1, y1, x2, y2), over anchors whose label is a class.
	IoULoss(loss, deltas, targets, labels, norm, anchors *tensor.Dense, o IoUKind) error
	// IoULossGrad: ddeltas = up[0] times the gradient.
	IoULossGrad(ddeltas, deltas, targets, labels, norm, anchors, up *tensor.Dense, o IoUKind) error
}

// IoUKind is a loss of the IoU of two boxes; see package loss.
type IoUKind int

// The losses of boxes by their IoU.
const (
	IoU IoUKind = iota
	LogIoU
	GIoU
	DIoU
	CIoU
)

// ClassLosses is an engine with more class losses than LevelLosses, each over all levels of a pyramid.
type ClassLosses interface {
	// ClassLoss: loss [1] = sum over levels and n of norm[n] times the loss.
	ClassLoss(loss *tensor.Dense, levels []ClassLevel, norm *tensor.Dense, p ClassParams) error
	// ClassLossGrad writes up[0] times the gradient to the levels' Grad.
	ClassLossGrad(levels []ClassLevel, norm, up *tensor.Dense, p ClassParams) error
}

// ClassLevel is a level of a pyramid.
type ClassLevel struct {
	Grad   *tensor.Dense // like Logits
	Logits *tensor.Dense // [N,...] seen as [N,A,K]
	Labels *tensor.Dense // [N,A] int32: a class in [0,K), -1 background, -2 ignored
	// Deltas [N,...] seen as [N,A,4], Targets [N,A,4] and Anchors [A,4] (x1, y1, x2, y2) are read where the loss has a quality: the
	// IoU of the boxes.
	Deltas, Targets, Anchors *tensor.Dense
}

// ClassParams describes a class loss; see package loss for the losses of these names.
type ClassParams struct {
	Form               ClassForm
	Alpha, Gamma, Beta float32 // Beta is FocalStar's; QualityFocal's is Gamma here
}

// ClassForm is a kind of class loss.
type ClassForm int

// The class losses.
const (
	FocalStar ClassForm = iota
	Softmax
	QualityFocal
	Varifocal
)

// HardNegativeMining is an engine with online hard example mining (loss.OHEM) of a focal loss.
type HardNegativeMining interface {
	// MinedLoss: loss [1] = sum over the rows that count of norm[n] times their loss. It writes to m.Keys and m.Picked.
	MinedLoss(loss *tensor.Dense, levels []ClassLevel, norm *tensor.Dense, m Mined, p MiningParams) error
	// MinedLossGrad writes up[0] times the gradient of MinedLoss before to the levels' Grad.
	MinedLossGrad(levels []ClassLevel, norm, up *tensor.Dense, m Mined, p MiningParams) error
}

// Mined is what mining works on. Rows of an image are counted through its levels.
type Mined struct {
	Anchors *tensor.Dense // [rows,4]
	Keys    *tensor.Dense // [N,rows]
	Picked  *tensor.Dense // [turns] int32: rows of the batch that count, -1 where there was none
}

// MiningParams describes mining; see loss.OHEM. Keep is above 0.
type MiningParams struct {
	FocalParams
	Keep  int
	Ratio float64
	NMS   float32 // IoU above which a row does not count besides a harder one of its image; 0 never
}

// Turns are the most rows that mining takes: first those with a class, where Ratio separates them, then the others.
func (p MiningParams) Turns() (objects, others int) {
	if p.Ratio <= 0 {
		return 0, p.Keep
	}
	objects = max(int(float64(p.Keep)/(1+p.Ratio)), 1)
	for n := range objects + 1 {
		others = max(others, min(int(p.Ratio*float64(max(n, 1))), p.Keep-n))
	}
	return objects, others
}
