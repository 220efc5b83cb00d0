// Package onnx writes a detector as an ONNX model, for other runtimes.
//
//	detector.Model --Export--> model.onnx: images [N,3,H,W] -> logits and deltas, or boxes and scores, or detections
//	with preprocessing:                    images [N,h,w,3] of bytes -> boxes and scores, or detections, in px of the image
//
// Without preprocessing the input is normalised as in training: R, G, B of [0,1] less mean, over std, with zeros beyond the image. Mean, std,
// classes and the rule for sizes stand in the model's metadata. The wire format is protocol buffers' with the field
// numbers of onnx.proto (ONNX 1.12, IR version 8, operator sets 10 and 13).
package onnx
