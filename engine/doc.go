// Package engine is the interface between a network and the device that computes it.
//
// An Engine is a tensor.Engine, so that gorgonia's machine can carry its tensors, with the layers of a network, their gradients and
// optimisers. Graph operations (package nn) call it. Everything else is optional: Engine.Supports reports for each operation or feature
// (Op) whether the engine has it, and As returns the methods. The detector's own kernels (losses, matching, detections, preparation of
// images) are optional, too; if an engine lacks one, the host computes it.
//
// Package engine/cpu is the engine of the CPU, engine/cuda that of NVIDIA GPUs; engine/device opens either by name. A new engine needs
// only the methods of Engine and a Supports that returns false: enginetest.Run tests it, and it can train and detect.
//
//	x [N,H,W,C] --Conv--> [N,OH,OW,K] --GroupNorm--> ... --FocalLoss--> [1]
package engine
