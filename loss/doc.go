// Package loss computes classification and box losses on plain slices, for any imbalanced task. Package nn/lossnode adds them to
// graphs.
//
//	logits [n,k], labels [n]            -> Class.Eval       -> sum, gradient [n,k]
//	logits [n,k], labels, quality [n]   -> QualityLoss.Eval -> sum, gradient [n,k]
//	boxes [n,4], targets [n,4]          -> Box.Eval         -> sum, gradient [n,4]
//
// A label is a class in [0,k), Background (-1) or Ignored (-2). A binary task has k = 1: label 0 is the positive class,
// -1 the negative one. A Normalizer returns the factors by which the sums of images are multiplied.
//
// Losses compute in float64 and are finite for any finite logit; gradients are closed forms.
package loss
