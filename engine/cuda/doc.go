// Package cuda computes on an NVIDIA GPU: memory, streams and modules through gorgonia.org/cu, convolutions through cuDNN 9 and
// cuBLASLt, all other operations with kernels of its own (kernels/*.cu, embedded as PTX). It is empty without the build tag gpu. A
// program that is built with the tag also starts on a machine without a GPU (package driver).
//
//	Upload --stream of copies--> pages on the GPU --stream: copy, Conv, GroupNorm, FocalLoss, SGD, ... --> Download, SumSquares
//
// Calls queue work on one stream and return at once; Download and SumSquares wait for it. Data from the host are copied on a second
// stream while earlier work runs. `scripts/ptx` compiles kernels.ptx.
package cuda
