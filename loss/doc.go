// Package loss adds detection losses to a graph.
//
//	logits [N,h,w,A*K], labels [N,h*w*A] int32, norm [N] -> Focal -> [1]
//	deltas [N,h,w,A*4], targets [N,h*w*A,4], labels, norm -> Box -> [1]
//
// A label is a class in [0,K), -1 for background or -2 for an anchor that does not count. norm holds one factor per
// picture: what the sum over its anchors is multiplied with, for example 1/(N * positives).
package loss
