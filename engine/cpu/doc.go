// Package cpu is the engine on the host: oneDNN for convolutions, own C++ kernels for everything else and for 3x3
// convolutions on processors with AVX-512.
//
//	Engine --closure--> one locked OS thread --cgo--> kernels.h --> OpenMP pool
//
// All kernels run from one operating system thread, whatever goroutine asks, so that there is one OpenMP pool. Results
// do not depend on timing: the same threads give the same bits.
package cpu
