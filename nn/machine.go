package nn

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Machine runs the part of a graph that its outputs need, any number of times, in planned memory. It reads the tensors that are bound
// to the graph's inputs. The values of its outputs are valid until another machine of the same arena runs. It is not for concurrent use.
type Machine struct {
	engine engine.Engine
	arena  *Arena
	plan   *Plan
	vm     G.VM
	sums   []*tensor.Dense // results of gorgonia's own additions, in the order in which they run
	next   int             // the operation that must run next
	watch  *watch          // nil without an observer
}

// NewMachine plans and compiles what outputs need and takes memory for it from a.
func NewMachine(a *Arena, outputs G.Nodes) (*Machine, error) {
	plan, err := NewPlan(a.engine, outputs)
	if err != nil {
		return nil, err
	}
	prog, locs, err := G.CompileFunction(outputs[0].Graph(), plan.inputs, outputs)
	if err != nil {
		return nil, fmt.Errorf("nn: compiling the graph: %w", err)
	}
	m := &Machine{engine: a.engine, arena: a, plan: plan}
	m.vm = G.NewTapeMachine(outputs[0].Graph(), G.WithPrecompiled(prog, locs), G.WithEngine(a.engine))
	if err := m.prepare(); err != nil {
		m.freeState()
		return nil, errors.Join(err, m.vm.Close())
	}
	return m, nil
}

// prepare binds the operations to the machine and gives them memory.
func (m *Machine) prepare() error {
	ops := 0
	for _, n := range m.plan.order {
		o, ok := n.Op().(*op)
		if !ok {
			continue
		}
		o.run, o.order, o.joint = m, ops, m.plan.joints.of[n]
		ops++
		if s, ok := o.k.(Stateful); ok {
			if err := s.MakeState(m.engine); err != nil {
				return fmt.Errorf("nn: state of %v: %w", o, err)
			}
		}
	}
	return m.arena.Join(m)
}

// Run executes the graph once.
func (m *Machine) Run() error {
	if err := m.arena.Ready(); err != nil {
		return err
	}
	m.next = 0
	for _, j := range m.plan.joints.of {
		j.reset()
	}
	m.engine.BeginRun(m.sums)
	defer m.engine.BeginRun(nil)
	defer m.vm.Reset()
	if m.watch == nil {
		return m.vm.RunAll()
	}
	m.watch.begin()
	return errors.Join(m.vm.RunAll(), m.watch.end())
}

// Layers lists the operations of a run.
func (m *Machine) Layers() []Layer { return m.plan.Layers() }

// Bytes returns the memory that the plan needs.
func (m *Machine) Bytes() int64 { return m.plan.bytes }

// Close frees the memory. The values of the outputs must not be read afterwards.
func (m *Machine) Close() error {
	if m.vm == nil {
		return nil
	}
	err := m.vm.Close()
	m.vm = nil
	m.freeState()
	if e := m.arena.Leave(m); err == nil {
		err = e
	}
	return err
}

// Value returns the result of one of the machine's outputs; it is valid until another machine of the arena runs.
func (m *Machine) Value(n *G.Node) *tensor.Dense { return n.Value().(*tensor.Dense) }

// Bind places all results in mem.
func (m *Machine) Bind(mem tensor.Memory) {
	m.sums = m.sums[:0]
	for _, n := range m.plan.order {
		out := m.engine.At(mem, m.plan.offset[n], n.Dtype(), n.Shape()...)
		if o, ok := n.Op().(*op); ok {
			o.out = out
		} else {
			m.sums = append(m.sums, out)
		}
	}
}

func (m *Machine) freeState() {
	for _, n := range m.plan.order {
		if o, ok := n.Op().(*op); ok {
			if s, ok := o.k.(Stateful); ok {
				s.FreeState(m.engine)
			}
		}
	}
}

// enter checks that operations run in the planned order: in another order they would overwrite each other's results.
func (m *Machine) enter(o *op) error {
	if o.order != m.next {
		return fmt.Errorf("nn: %v runs as number %d but is planned as number %d", o, m.next, o.order)
	}
	m.next++
	if m.watch != nil {
		return m.watch.enter(o)
	}
	return nil
}

// leave reports to the observer that an operation is done.
func (m *Machine) leave(o *op) error {
	if m.watch != nil {
		return m.watch.leave(o)
	}
	return nil
}
