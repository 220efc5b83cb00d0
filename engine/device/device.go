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
	// Precision is a name of package engine's. Empty is bf16 on a GPU, float32 on the cpu, which has no other.
	Precision string

	Convolutions cpu.Algorithm // of the cpu
	Warn         func(error)   // as cpu.Options
}

// Open starts an engine.
func Open(o Options) (Engine, error) {
	n, gpu, p, err := o.parse()
	if err != nil {
		return nil, err
	}
	if gpu {
		return openCUDA(n, p)
	}
	return cpu.New(cpu.Options{Threads: o.Threads, Algorithm: o.Convolutions, Warn: o.Warn})
}

// Check returns the error of a device or a precision that this program cannot have. It opens nothing: a GPU that the machine lacks is an error
// of Open.
func (o Options) Check() error {
	_, gpu, _, err := o.parse()
	if err == nil && gpu {
		return errNoGPU
	}
	return err
}

// parse returns the number of a GPU, or that the device is none, and the precision.
func (o Options) parse() (n int, gpu bool, p engine.Precision, err error) {
	if n, gpu, err = parse(o.Name); err != nil {
		return 0, false, 0, err
	}
	p = engine.Float32
	if gpu {
		p = engine.BF16
	}
	if o.Precision != "" {
		if p, err = engine.ParsePrecision(o.Precision); err != nil {
			return 0, false, 0, fmt.Errorf("device: %w", err)
		}
	}
	if !gpu && p != engine.Float32 {
		return 0, false, 0, fmt.Errorf("device: precision %v is of GPUs, and the device is the cpu, which computes in float32: name a GPU, such as cuda:0, or no precision", p)
	}
	return n, gpu, p, nil
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
