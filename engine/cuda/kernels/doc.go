// Package kernels holds the sources of engine/cuda's kernels, and a device made of the host that runs them: a driver, a cuDNN
// and a cuBLASLt for tests, on machines without a GPU. It is empty without the build tag gpu, and no program imports it.
//
// The device keeps what a GPU keeps: its memory faults when the program touches it, is NaN until written and ends where its
// allocations end; work waits in a queue until a caller waits for it; calls want a current context; kernels are found only where
// the module has them too. Convolutions and products are plain loops. What it cannot show: PTX by NVIDIA's compiler, choices of
// cuDNN and cuBLASLt, races between threads of different blocks, speed.
package kernels
