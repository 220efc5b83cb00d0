// Package device opens the engine that a name stands for: "cpu", or "cuda" or "cuda:1", a GPU by its number.
package device

import (
	"fmt"
	"strconv"
	"strings"

	"retinago/engine"
	"retinago/engine/cpu"
)

// Engine is an engine that its user closes.
type Engine interface {
	engine.Engine
	// Close frees all memory of the engine, its tensors included.
	Close() error
}

// Options configures an Engine.
type Options struct {
	Name    string // empty is cpu
	Threads int    // of the cpu; 0 takes every core
	TF32    bool   // of a GPU: multiply in convolutions with 10 bits of fraction, as tensor cores do

	Convolutions cpu.Algorithm // of the cpu
	Warn         func(error)   // as cpu.Options
}

// Open starts an engine.
func Open(o Options) (Engine, error) {
	n, gpu, err := parse(o.Name)
	switch {
	case err != nil:
		return nil, err
	case gpu:
		return openCUDA(n, o.TF32)
	case o.TF32:
		return nil, fmt.Errorf("device: TF32 is of GPUs, and the device is the cpu")
	}
	return cpu.New(cpu.Options{Threads: o.Threads, Algorithm: o.Convolutions, Warn: o.Warn})
}

// parse returns the number of a GPU, or that it is none.
func parse(name string) (n int, gpu bool, err error) {
	kind, number, numbered := strings.Cut(name, ":")
	switch {
	case name == "" || name == "cpu":
		return 0, false, nil
	case kind == "cuda" && !numbered:
		return 0, true, nil
	case kind == "cuda":
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			return n, true, nil
		}
	}
	return 0, false, fmt.Errorf("device: unknown device %q; there are cpu, cuda and cuda:NUMBER", name)
}
