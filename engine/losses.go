package engine

import "gorgonia.org/tensor"

// Overlaps is an engine with losses between boxes.
type Overlaps interface {
	// OverlapLoss: loss [1] = sum over n of norm[n] times the loss between the boxes of deltas [N,...] seen as [N,A,4] and those of
	// targets [N,A,4], both of anchors [A,4] (x1, y1, x2, y2), over anchors whose label is a class.
	OverlapLoss(loss, deltas, targets, labels, norm, anchors *tensor.Dense, o Overlap) error
	// OverlapLossGrad: ddeltas = up[0] times the gradient.
	OverlapLossGrad(ddeltas, deltas, targets, labels, norm, anchors, up *tensor.Dense, o Overlap) error
}

// Overlap is a loss between boxes; see package loss.
type Overlap int

// The losses between boxes.
const (
	IoU Overlap = iota
	LogIoU
	GIoU
	DIoU
	CIoU
)

// ClassLosses is an engine with more class losses than FocalLoss, each over all levels of a pyramid.
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
