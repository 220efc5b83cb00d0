package nn

import (
	"errors"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// bounded is an engine without memory beyond most bytes at once.
type bounded struct {
	engine.Engine
	most int64
	last tensor.Memory
}

func (*bounded) Supports(engine.Op) bool { return false }

var errBounded = errors.New("too much")

func (b *bounded) Alloc(size int64) (mem tensor.Memory, err error) {
	if size > b.most {
		return nil, errBounded
	}
	b.last, err = b.Engine.Alloc(size)
	return b.last, err
}

// A machine that does not fit leaves the others their memory, or lets them take it again when there is some.
func TestArenaThatCannotGrow(t *testing.T) {
	e := &bounded{Engine: newEngine(t), most: 1 << 30}
	a := NewArena(e)
	_, y, _ := tower(t, e)
	relu := func(size int) (*Machine, error) {
		b := &Builder{Graph: G.NewGraph()}
		z, err := Activate(b.Input("x", upload(t, e, make([]float32, size*size*16), 1, size, size, 16)), engine.ReLU)
		if err != nil {
			t.Fatal(err)
		}
		return NewMachine(a, G.Nodes{z})
	}
	m, err := NewMachine(a, G.Nodes{y})
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	run := func(when string) {
		t.Helper()
		if err := m.Run(); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if a.Bytes() != m.Bytes() {
			t.Errorf("%s: the arena has %d bytes, its largest machine needs %d", when, a.Bytes(), m.Bytes())
		}
		v := m.Value(y)
		if from, to := e.last.Uintptr(), e.last.Uintptr()+e.last.MemSize(); v.Uintptr() < from || v.Uintptr()+v.MemSize() > to {
			t.Errorf("%s: the output at %#x is not in the memory from %#x to %#x", when, v.Uintptr(), from, to)
		}
		got := download(t, e, v)
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Errorf("%s: other outputs", when)
		}
	}
	refuse := func(most int64) {
		t.Helper()
		e.most = most
		if _, err := relu(64); !errors.Is(err, errBounded) {
			t.Errorf("a machine in %d bytes: %v", most, err)
		}
	}
	run("at first")
	refuse(m.Bytes())
	if a.Bytes() != m.Bytes() {
		t.Errorf("the arena has %d bytes after it did not grow, its machine needs %d", a.Bytes(), m.Bytes())
	}
	run("after one that did not fit")

	refuse(0)
	if err := m.Run(); !errors.Is(err, errBounded) {
		t.Errorf("a run without memory: %v", err)
	}
	e.most = 1 << 30
	run("with memory again")

	refuse(0)
	e.most = 1 << 30
	small, err := relu(2)
	if err != nil {
		t.Fatal(err)
	}
	if small.Bytes() >= m.Bytes() {
		t.Fatalf("%d bytes are not less than %d", small.Bytes(), m.Bytes())
	}
	run("after a smaller one took memory")
	if err := errors.Join(small.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	if a.Bytes() != 0 {
		t.Errorf("%d bytes are left after the last machine closed", a.Bytes())
	}
}
