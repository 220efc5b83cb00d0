// Package formula holds the formulas that engines of the CPU and of GPUs share: C++ and CUDA compile the same header.
//
// To add a class loss of one binary task per logit, write its function in binary.h and its name into BINARY_LOSSES there; the kernels of
// every engine are instantiated from that list. Package loss has the table entry and the loss on plain slices.
package formula

import _ "embed"

// Binary is the text of binary.h. Engines that include the header import this package, so that the go command compiles them again
// when the header changes.
//
//go:embed binary.h
var Binary string
