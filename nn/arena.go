package nn

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Arena is the memory in which machines keep their results. Machines that share one take turns: a run destroys the
// results of every other machine. It grows to the largest of them.
type Arena struct {
	engine engine.Engine
	mem    tensor.Memory
	users  []*Machine
}

// NewArena returns an empty arena on e.
func NewArena(e engine.Engine) *Arena { return &Arena{engine: e} }

// Bytes is the size that the arena has grown to.
func (a *Arena) Bytes() int64 {
	if a.mem == nil {
		return 0
	}
	return int64(a.mem.MemSize())
}

// join gives m its places, growing the arena and moving the others when it does not fit.
func (a *Arena) join(m *Machine) error {
	if need := max(m.plan.bytes, align); a.mem == nil || a.Bytes() < need {
		// The old memory goes first: both at once may not fit.
		if err := a.free(); err != nil {
			return err
		}
		mem, err := a.engine.Alloc(need)
		if err != nil {
			return fmt.Errorf("nn: %d MB for activations: %w", need>>20, err)
		}
		a.mem = mem
		for _, u := range a.users {
			u.bind(mem)
		}
	}
	m.bind(a.mem)
	a.users = append(a.users, m)
	return nil
}

// leave frees the memory with the last machine.
func (a *Arena) leave(m *Machine) error {
	a.users = slices.DeleteFunc(a.users, func(u *Machine) bool { return u == m })
	if len(a.users) > 0 {
		return nil
	}
	return a.free()
}

func (a *Arena) free() error {
	if a.mem == nil {
		return nil
	}
	mem := a.mem
	a.mem = nil
	return a.engine.Free(mem, int64(mem.MemSize()))
}
