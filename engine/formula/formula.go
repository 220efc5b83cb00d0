// Package formula holds what engines of the CPU and of GPUs share: C++ and CUDA compile the same headers.
//
// To add a class loss of one binary task per logit, write its function in binary.h and its name into BINARY_LOSSES there; the kernels of
// every engine are instantiated from that list. Package loss has the table entry and the loss on plain slices.
package formula

import (
	"embed"
	"regexp"
	"strings"
	"sync"
)

// Headers are the headers' texts. Engines that include them import this package, so that the go command compiles them again when a
// header changes.
//
//go:embed *.h
var Headers embed.FS

// Losses are the names in BINARY_LOSSES.
var Losses = sync.OnceValue(func() (names []string) {
	for _, m := range regexp.MustCompile(`\bX\((\w+)\)`).FindAllStringSubmatch(line("binary.h", "#define BINARY_LOSSES(X) "), -1) {
		names = append(names, m[1])
	}
	return names
})

// line returns the line of a header that begins so.
func line(header, begin string) string {
	b, err := Headers.ReadFile(header)
	if err != nil {
		panic("formula: " + err.Error())
	}
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, begin) {
			return l
		}
	}
	panic("formula: " + header + " has no line " + begin)
}
