package weights

import (
	"errors"
	"fmt"
	"io"
)

// The pickle machine reads data only: it knows the handful of functions that tensors are made with and calls nothing
// else. What an unknown function would return, or an unknown class would be, is an opaque value, which no tensor can be made of.
// Every length is checked against the bytes that are there, and what the instructions make is bounded by their own length.

type (
	global struct{ module, name string } // a class or function by name
	tuple  []any
	list   struct{ items []any }
	dict   struct {
		items   []item
		tensors int // among the items themselves, where counted
		counted bool
	}
	item struct{ key, value any }
	// opaque is an object of a class that is not read, or what a function that is not called would return.
	opaque struct {
		class  global
		called bool // class is a function
		tensor bool // it is a tensor, made of something that is not read
	}
	mark struct{}
)

func (g global) String() string { return g.module + "." + g.name }

const (
	// maxValues bounds the values of a pickle.
	maxValues = 4 << 20
	// What instructions make may take maxFactor times their own bytes, as small values do, and maxMade in all. minMade lets a short
	// pickle copy a text of a window.
	minMade   = 4 * window
	maxMade   = 128 << 20
	maxFactor = 128
)

// machine executes one pickle.
type machine struct {
	input
	stack  []any
	memo   []any          // by key
	sparse map[uint64]any // with keys beyond
	values int
	made   int64 // bytes, roughly
	// persistent returns what a persistent id stands for; nil where there are none.
	persistent func(id any) (any, error)
}

// unpickle executes the pickle at a place of size bytes of r and returns its value and end.
func unpickle(r io.ReaderAt, at, size int64, persistent func(any) (any, error)) (value any, end int64, err error) {
	m := &machine{input: input{r: r, at: at, size: size}, sparse: map[uint64]any{}, persistent: persistent}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, 0, err
		}
		if op[0] == '.' {
			v, err := m.pop()
			return v, m.at, err
		}
		if err := m.step(op[0]); err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", m.at, err)
		}
	}
}

// spend counts n bytes that are about to be made.
func (m *machine) spend(n int) error {
	if m.made += int64(n); m.made > min(minMade+maxFactor*m.took, maxMade) {
		return fmt.Errorf("%d bytes of instructions make more than %d bytes: this is no checkpoint", m.took, m.made)
	}
	return nil
}

func (m *machine) push(v any) error {
	if m.values++; m.values > maxValues {
		return fmt.Errorf("more than %d values: this is no checkpoint", maxValues)
	}
	m.stack = append(m.stack, v)
	return m.spend(32) // its place on a stack that doubles
}

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("the stack is empty")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

func (m *machine) top() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark returns what was pushed since the last mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			if err := m.spend(16 * (len(m.stack) - i)); err != nil {
				return nil, err
			}
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// step executes one instruction. (Python's pickletools lists them.)
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := m.number(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("protocol %d", v)
		}
		return err
	case 0x95: // FRAME
		_, err := m.number(8)
		return err
	case '(':
		return m.push(mark{})
	case 'N':
		return m.push(nil)
	case 0x88, 0x89:
		return m.push(op == 0x88)
	case '0':
		_, err := m.pop()
		return err
	case '1':
		_, err := m.popMark()
		return err
	case '2':
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	}
	for _, f := range []func(byte) (bool, error){m.stepNumber, m.stepText, m.stepContainer, m.stepMemo, m.stepObject} {
		if known, err := f(op); known || err != nil {
			return err
		}
	}
	return fmt.Errorf("instruction %#02x is not known", op)
}
