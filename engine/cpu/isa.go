package cpu

// #include "kernels.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// isas names the instruction sets that kernels are made for, by their numbers in C.
var isas = []string{"baseline", "avx2", "avx512"}

// isaVariable holds a process to one of them, so that the kernels of other processors can be tried. oneDNN takes its limit
// once and for all engines: it is no option of one.
const isaVariable = "RETINAGO_ISA"

// isa is the instruction set of the process: the processor's best, or what the environment asks for.
var isa = sync.OnceValues(func() (string, error) {
	have := ISAs()
	name := os.Getenv(isaVariable)
	if name == "" {
		return have[0], nil
	}
	if !slices.Contains(have, name) {
		return "", fmt.Errorf("cpu: %s=%s: this processor has %s", isaVariable, name, strings.Join(have, ", "))
	}
	if msg := C.rn_isa_lower(C.int(slices.Index(isas, name))); msg != nil {
		return "", errors.New("cpu: " + isaVariable + ": " + C.GoString(msg))
	}
	return name, nil
})

// ISAs lists the instruction sets that this processor has, the best first: avx512 (F, BW, DQ, VL), avx2 (with FMA), and
// baseline, what every processor of the architecture has.
func ISAs() []string {
	s := slices.Clone(isas[:C.rn_isa_best()+1])
	slices.Reverse(s)
	return s
}

// ISA is the instruction set that kernels and oneDNN use in this process. The environment variable RETINAGO_ISA lowers it;
// an error says that its value cannot be.
func ISA() (string, error) { return isa() }
