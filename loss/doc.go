// Package loss holds classification and box losses: on plain slices, for any imbalanced task, and as nodes of a graph.
//
//	logits [n,k], labels [n]            -> Class.Eval -> sum, gradient [n,k]
//	logits [n,k], labels, quality [n]   -> Soft.Eval  -> sum, gradient [n,k]
//	boxes [n,4], targets [n,4]          -> Box.Eval   -> sum, gradient [n,4]
//
//	logits [N,h,w,A*K], labels [N,h*w*A], norm [N]           -> Focal.Node    -> [1]
//	deltas [N,h,w,A*4], targets [N,h*w*A,4], labels, norm    -> SmoothL1.Node -> [1]
//	any Class or Soft over all levels, any Box of boxes      -> Levels.Node, Overlap.Node -> [1], on the host where the
//	                                                            engine does not have them
//
// A label is a class in [0,k), Background (-1) or Ignored (-2). A binary task has k = 1: label 0 is the positive class,
// -1 the negative one. norm holds one factor per picture, which its sum is multiplied with: see Normalizer.
//
// Plain losses compute in float64 and are finite for any finite logit; gradients are closed forms.
package loss
