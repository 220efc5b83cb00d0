// Package cpu is the engine on the host: oneDNN for convolutions, own C++ kernels for everything else and for most 3x3
// convolutions (Algorithm says which).
//
//	Engine --closure--> one locked OS thread --cgo--> kernels.h --> OpenMP pool
//
// Kernels are there for AVX-512, AVX2 and every processor's baseline. The environment variable RETINAGO_ISA (avx512, avx2,
// baseline) holds a process, oneDNN in it, to less than the processor has.
//
// All kernels run from one operating system thread, whatever goroutine asks, so that there is one OpenMP pool. Results
// do not depend on timing: the same threads give the same bits.
package cpu
