// Package lossnode adds the losses of package loss to graphs, as nodes with a gradient.
//
//	logits [N,h,w,A*K], labels [N,h*w*A], norm [N]           -> Binary   -> [1], of one level
//	deltas [N,h,w,A*4], targets [N,h*w*A,4], labels, norm    -> Deltas   -> [1], of one level
//	any loss.Class or loss.QualityLoss over all levels       -> Class    -> [1]
//	any loss.Box of decoded boxes                            -> Boxes    -> [1], of one level
//
// A label is a class in [0,K), loss.Background or loss.Ignored. norm holds one factor per image, by which its sum is multiplied: see
// loss.Normalizer. Each loss runs on the engine where that has it, else on the host (host.go).
package lossnode
