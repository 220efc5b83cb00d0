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
	users  []ArenaUser
}

// ArenaUser keeps its results in an arena, as a Machine does.
type ArenaUser interface {
	// Bytes is the memory that it needs.
	Bytes() int64
	// Bind lays its results over mem, again whenever the arena has grown.
	Bind(mem tensor.Memory)
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

// Join gives t its places, growing the arena and moving the others when it does not fit.
func (a *Arena) Join(t ArenaUser) error {
	if need := max(t.Bytes(), align); a.Bytes() < need {
		// The old memory goes first: both at once may not fit.
		if err := a.free(); err != nil {
			return err
		}
		if err := a.take(need); err != nil {
			_ = a.Ready() // for the others; where it fails, it does again before they run
			return err
		}
	}
	t.Bind(a.mem)
	a.users = append(a.users, t)
	return nil
}

// Ready takes memory for the users where they lost it to one that did not fit. They ask for it before they run.
func (a *Arena) Ready() error {
	if a.mem != nil || len(a.users) == 0 {
		return nil
	}
	return a.take(align)
}

// take allocates as many bytes, or what the largest user needs, and moves the users there.
func (a *Arena) take(bytes int64) error {
	for _, u := range a.users {
		bytes = max(bytes, u.Bytes())
	}
	mem, err := a.engine.Alloc(bytes)
	if err != nil {
		return fmt.Errorf("nn: %d MB for activations: %w", bytes>>20, err)
	}
	a.mem = mem
	for _, u := range a.users {
		u.Bind(mem)
	}
	return nil
}

// Leave frees the memory with the last user.
func (a *Arena) Leave(t ArenaUser) error {
	a.users = slices.DeleteFunc(a.users, func(u ArenaUser) bool { return u == t })
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
