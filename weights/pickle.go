package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// The pickle machine reads data only: it knows the handful of functions that tensors are made with and calls nothing
// else. Every length is checked against the bytes that are there before memory is taken.

type (
	global struct{ module, name string } // a class or function by name
	tuple  []any
	list   struct{ items []any }
	dict   struct{ items []item }
	item   struct{ key, value any }
	opaque struct{ class global } // an object of a class that is of no interest
	mark   struct{}
)

func (g global) String() string { return g.module + "." + g.name }

// maxValues bounds the values of a pickle: a file of one-byte instructions would otherwise take 16 times its size.
const maxValues = 4 << 20

// machine executes one pickle.
type machine struct {
	b      []byte
	at     int
	stack  []any
	memo   map[uint64]any
	values int
	// persistent returns what a persistent id stands for; nil where there are none.
	persistent func(id any) (any, error)
}

// unpickle executes the pickle at the start of b and returns its value and length.
func unpickle(b []byte, persistent func(any) (any, error)) (value any, n int, err error) {
	m := &machine{b: b, memo: map[uint64]any{}, persistent: persistent}
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

// take returns the next n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.b)-m.at) {
		return nil, fmt.Errorf("the pickle is cut at byte %d", m.at)
	}
	b := m.b[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number reads n bytes as a little-endian number.
func (m *machine) number(n int) (uint64, error) {
	b, err := m.take(uint64(n))
	if err != nil {
		return 0, err
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:]), nil
}

// line reads up to the next line feed.
func (m *machine) line() (string, error) {
	i := bytes.IndexByte(m.b[m.at:min(m.at+4096, len(m.b))], '\n')
	if i < 0 {
		return "", errors.New("a line without end")
	}
	b, err := m.take(uint64(i + 1))
	if err != nil {
		return "", err
	}
	return string(b[:i]), nil
}

func (m *machine) push(v any) error {
	if m.values++; m.values > maxValues {
		return fmt.Errorf("more than %d values: this is no checkpoint", maxValues)
	}
	m.stack = append(m.stack, v)
	return nil
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

func (m *machine) stepContainer(op byte) (bool, error) {
	switch op {
	case ']', 0x8f:
		return true, m.push(&list{})
	case ')':
		return true, m.push(tuple{})
	case '}':
		return true, m.push(&dict{})
	case 'l', 't', 'd', 0x91:
		items, err := m.popMark()
		if err != nil {
			return true, err
		}
		switch op {
		case 't':
			return true, m.push(tuple(items))
		case 'd':
			d := &dict{}
			if err := d.set(items); err != nil {
				return true, err
			}
			return true, m.push(d)
		}
		return true, m.push(&list{items})
	case 0x85, 0x86, 0x87:
		n := int(op - 0x84)
		if len(m.stack) < n {
			return true, errors.New("the stack is empty")
		}
		t := append(tuple(nil), m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
		return true, m.push(t)
	case 'a', 'e', 0x90, 's', 'u':
		return true, m.extend(op)
	}
	return false, nil
}

// extend adds to the list or dictionary below.
func (m *machine) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a':
		var v any
		v, err = m.pop()
		items = []any{v}
	case 's':
		var k, v any
		if v, err = m.pop(); err == nil {
			k, err = m.pop()
		}
		items = []any{k, v}
	default:
		items, err = m.popMark()
	}
	if err != nil {
		return err
	}
	below, err := m.top()
	if err != nil {
		return err
	}
	switch c := below.(type) {
	case *list:
		c.items = append(c.items, items...)
		return nil
	case *dict:
		if op == 's' || op == 'u' {
			return c.set(items)
		}
	case opaque:
		return nil
	}
	return fmt.Errorf("a %T is no container", below)
}

// set adds keys and values in turn.
func (d *dict) set(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.items = append(d.items, item{items[i], items[i+1]})
	}
	return nil
}

func (m *machine) stepMemo(op byte) (bool, error) {
	width := map[byte]int{'q': 1, 'r': 4, 'h': 1, 'j': 4}[op]
	var key uint64
	var err error
	switch op {
	case 'q', 'r', 'h', 'j':
		key, err = m.number(width)
	case 'p', 'g':
		var s string
		if s, err = m.line(); err == nil {
			key, err = strconv.ParseUint(s, 10, 32)
		}
	case 0x94:
		key = uint64(len(m.memo))
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return true, fmt.Errorf("nothing is stored as %d", key)
		}
		return true, m.push(v)
	}
	v, err := m.top()
	if err != nil {
		return true, err
	}
	if m.values++; m.values > maxValues {
		return true, fmt.Errorf("more than %d values: this is no checkpoint", maxValues)
	}
	m.memo[key] = v
	return true, nil
}

func (m *machine) stepObject(op byte) (bool, error) {
	switch op {
	case 'c':
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		return true, m.push(global{module, name})
	case 0x93:
		name, err := m.pop()
		if err != nil {
			return true, err
		}
		module, err := m.pop()
		if err != nil {
			return true, err
		}
		a, ok := module.(string)
		b, ok2 := name.(string)
		if !ok || !ok2 {
			return true, errors.New("a class whose name is no text")
		}
		return true, m.push(global{a, b})
	case 'Q':
		id, err := m.pop()
		if err != nil {
			return true, err
		}
		if m.persistent == nil {
			return true, errors.New("a persistent id in a file that has none")
		}
		v, err := m.persistent(id)
		if err != nil {
			return true, err
		}
		return true, m.push(v)
	case 'R', 0x81:
		return true, m.reduce(op == 0x81)
	case 'b':
		state, err := m.pop()
		if err != nil {
			return true, err
		}
		object, err := m.top()
		if err != nil {
			return true, err
		}
		return true, build(object, state)
	}
	return false, nil
}

// reduce makes an object: of a known class or function, or an opaque one of an unknown class. An unknown function is
// refused.
func (m *machine) reduce(class bool) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := v.(tuple)
	if !ok {
		return fmt.Errorf("arguments that are a %T", v)
	}
	if v, err = m.pop(); err != nil {
		return err
	}
	g, ok := v.(global)
	if !ok {
		return fmt.Errorf("a %T is called", v)
	}
	f, known := functions[g.String()]
	switch {
	case known:
		if v, err = f(args); err != nil {
			return fmt.Errorf("%v: %w", g, err)
		}
	case class:
		v = opaque{g}
	default:
		return fmt.Errorf("the file wants to call %v; only what makes tensors is read, and nothing is run", g)
	}
	return m.push(v)
}

// build gives an object its state.
func build(object, state any) error {
	switch o := object.(type) {
	case *ndarray:
		return o.build(state)
	case *dtype:
		return o.build(state)
	}
	return nil // attributes of dictionaries and of opaque objects are of no interest
}
