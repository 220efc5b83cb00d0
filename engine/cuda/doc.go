// Package cuda computes on an NVIDIA GPU: memory, streams and modules through gorgonia.org/cu, convolutions through cuDNN 9 and
// cuBLASLt, the rest with kernels of its own (kernels/*.cu, embedded as PTX). It is empty without the build tag gpu, and a program
// that is built with it starts without a GPU too (package driver).
//
//	Upload --stream of copies--> pages on the GPU --stream: copy, Conv, GroupNorm, FocalLoss, SGD, ... --> Download, SumSquares
//
// Work goes to one stream and returns at once; Download and SumSquares wait for it. What the host sends comes on a second one, beside the
// work before it. `scripts/ptx` makes kernels.ptx anew.
package cuda
