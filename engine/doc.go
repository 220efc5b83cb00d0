// Package engine is the interface between a network and what computes it.
//
// An Engine is a tensor.Engine, so that gorgonia's machine can carry its tensors, with the layers of a network, their gradients and
// optimisers. Graph operations (package nn) call it. Everything else is optional: Engine.Supports is asked for each operation or feature
// (Op), and As returns the methods. The detector's own kernels (losses, matching, detections, pictures) are optional, too; where an engine
// lacks one, the host computes it.
//
// Package engine/cpu is the engine of the host, engine/cuda that of NVIDIA GPUs; engine/device opens either by name. A new engine begins
// with the methods of Engine and a Supports that returns false: enginetest.Run tests it, and it trains and detects.
//
//	x [N,H,W,C] --Conv--> [N,OH,OW,K] --GroupNorm--> ... --FocalLoss--> [1]
package engine
