// Package driver lets a program that is built for NVIDIA GPUs start on a machine without one, and report that. It is empty without
// the build tag gpu.
//
// gorgonia.org/cu is linked against libcuda, which comes with the driver. Here every entry point that it needs is a jump through
// a slot, filled by Open from libcuda.so.1 of the machine. include/cuda.h declares them, so that a build needs no toolkit, and
// link/libcuda.a is an empty archive for the -lcuda of gorgonia.org/cu. Both must come first on the compiler's path, where a
// toolkit's would be taken otherwise; `make TAGS=gpu` sets
//
//	CGO_CFLAGS=-I.../engine/cuda/driver/include CGO_LDFLAGS=-L.../engine/cuda/driver/link
package driver
