// Package engine says what a place of computation must offer: memory behind tensors, and the detector's kernels.
//
// An Engine is a tensor.Engine, so that gorgonia's machine can carry its tensors, with the kernels of training and
// inference on it. Graph operations (package nn) call the engine that holds their inputs. Package engine/cpu is the
// implementation on the host, engine/cuda the one on NVIDIA GPUs; engine/device opens either by name.
//
//	x [N,H,W,C] --Conv--> [N,OH,OW,K] --GroupNorm--> ... --FocalLoss--> [1]
package engine
