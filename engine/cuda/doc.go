// Package cuda computes on an NVIDIA GPU: memory, streams and modules through gorgonia.org/cu, convolutions through cuDNN 9 and
// cuBLASLt, the rest with kernels of its own (kernels/*.cu, embedded as PTX). It is empty without the build tag gpu, and a program
// that is built with it starts without a GPU too (package driver).
//
//	Upload --pinned buffers--> stream: Conv, GroupNorm, FocalLoss, SGD, ... --> Download, SumSquares
//
// Work goes to one stream and returns at once; Download and SumSquares wait for it. `scripts/ptx` makes kernels.ptx anew.
package cuda
