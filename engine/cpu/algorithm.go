package cpu

// #include <stdlib.h>
// #include "kernels.h"
import "C"

import (
	"fmt"
	"strings"
)

// Algorithm chooses between oneDNN and the own Winograd kernels where both can compute a convolution. They round
// differently, so that results are equal to the bit only where choices are.
type Algorithm int

const (
	Fixed    Algorithm = iota // by a rule on shapes: the same on every run and machine
	Measured                  // what was faster when this machine first met the shape; see Choices
	OneDNN                    // oneDNN for all
	Winograd                  // own kernels wherever they apply
)

var algorithms = [...]string{"fixed", "measured", "onednn", "winograd"}

// String is the name that ParseAlgorithm reads.
func (a Algorithm) String() string { return algorithms[a] }

// ParseAlgorithm reads fixed, measured, onednn or winograd.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a, s := range algorithms {
		if s == name {
			return Algorithm(a), nil
		}
	}
	return 0, fmt.Errorf("cpu: convolutions %q; there are %s", name, strings.Join(algorithms[:], ", "))
}

// Use changes the choice of convolutions. warn receives the error of a file of choices that cannot be read or written, which costs
// measurements anew and nothing else; it may be nil.
func (e *Engine) Use(a Algorithm, warn func(error)) {
	e.chosen, e.choices, e.timer = a, nil, e.time
	if a == Measured {
		e.choices = newChoices(e.threads, warn)
	}
}

// Algorithm is the choice of convolutions.
func (e *Engine) Algorithm() Algorithm { return e.chosen }

// conv is a convolution's shape.
type conv = C.rn_conv

// pass is what is computed of a convolution.
type pass C.int

const (
	forward pass = iota
	byData
	byWeights
)

var passes = [...]string{"forward", "data", "weights"}

// own reports whether the own kernels compute the convolutions of maps. What is best for the largest is for all: beside it the
// others cost the own kernels little.
func (e *Engine) own(p pass, s conv, maps []C.rn_map) C.int {
	if e.chosen == OneDNN || C.rn_conv_own(&s) == 0 {
		return 0
	}
	for i, m := range maps {
		if i == 0 || m.n*m.oh*m.ow > s.n*s.oh*s.ow {
			s.n, s.h, s.w, s.oh, s.ow = m.n, m.h, m.w, m.oh, m.ow
		}
	}
	switch {
	case e.chosen == Winograd:
		return 1
	case e.chosen == Measured && uncertain(&s):
		return flag(e.choices.get(p, &s, e.timer))
	}
	return flag(rule(p, &s))
}

// tiles is how many tiles of 4x4 outputs share the transformed weights.
func tiles(s *conv) int { return int(s.n * ((s.oh + 3) / 4) * ((s.ow + 3) / 4)) }

// rule leaves shapes to oneDNN where reading the transformed weights, four times the size of the others, is most of the
// work, and gradients by few channels' weights, where transforms are.
func rule(p pass, s *conv) bool {
	if p == byWeights {
		return tiles(s) >= 24 && min(s.c, s.k) >= 32
	}
	return tiles(s) >= 16
}

// uncertain reports whether a shape is worth a measurement. On large maps with many channels four multiplications less of
// nine always won.
func uncertain(s *conv) bool { return tiles(s) < 400 || min(s.c, s.k) < 64 }

// timing is what runs of one kernel took, in seconds.
type timing struct{ least, median float64 }

// timer measures both kernels of one convolution.
type timer func(p pass, s *conv) (oneDNN, own timing, err error)

// time is the timer that runs them.
func (e *Engine) time(p pass, s *conv) (oneDNN, own timing, err error) {
	var least, median [2]C.double
	err = e.guarded("timing", func() *C.char { return C.rn_conv_time(e.conv, C.int(p), s, &least[0], &median[0]) })
	return timing{float64(least[0]), float64(median[0])}, timing{float64(least[1]), float64(median[1])}, err
}
