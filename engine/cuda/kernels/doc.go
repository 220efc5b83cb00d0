// Package kernels holds the sources of engine/cuda's kernels, and a simulated GPU in host memory that runs them: a driver, a cuDNN
// and a cuBLASLt for tests on machines without a GPU. It is empty without the build tag gpu, and no program imports it.
//
// The simulated GPU keeps the rules of a real one. An access of the program to its memory is a fault, memory is NaN until it is written,
// and an access beyond an allocation is a fault. Work stays in a queue until a caller waits for it. Calls need a current context. A launch
// finds a kernel only if the module has it too. Convolutions and products are plain loops. The simulated GPU does not test PTX with
// NVIDIA's compiler, the choices of cuDNN and cuBLASLt, races between threads of different blocks, or speed.
package kernels
