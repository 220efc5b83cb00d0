// Package cpu is the engine of the CPU. oneDNN computes convolutions; retinago's own C++ kernels compute all other operations and
// most 3x3 convolutions, as Algorithm selects.
//
//	Engine --closure--> one locked OS thread --cgo--> kernels.h --> OpenMP pool
//
// Kernels exist for AVX-512, AVX2 and the baseline of every processor. The environment variable RETINAGO_ISA (avx512, avx2,
// baseline) limits a process, including oneDNN, to fewer instructions than the processor has.
//
// All kernels start from one operating system thread, whichever goroutine calls, so that there is one OpenMP pool. Results
// do not depend on timing: the same number of threads gives the same bits.
package cpu
