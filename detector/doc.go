// Package detector composes backbone, pyramid, heads and losses into one model: parameters by name, a training graph
// and an inference graph for every canvas, all over the same parameters.
//
//	images [N,H,W,3] -> backbone -> C3..C5 -> fpn -> P3..P7 -> head -> logits [N,A_l,K], deltas [N,A_l,4]
//	training:  + labels and targets per anchor -> losses -> gradient of every trainable parameter
//	inference: top-k per level, boxes from deltas, class-wise NMS -> detections in pixels of the image
//
// Graphs are static. A graph is built when its canvas is first needed, and kept in a small cache.
package detector
