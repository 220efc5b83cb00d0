package weights

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

func (m *machine) stepContainer(op byte) (bool, error) {
	switch op {
	case ']', 0x8f:
		return true, errors.Join(m.spend(48), m.push(&list{}))
	case ')':
		return true, m.push(tuple{})
	case '}':
		return true, errors.Join(m.spend(48), m.push(&dict{}))
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
			if err := m.set(d, items); err != nil {
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
		return m.spend(48 * len(items))
	case *dict:
		if op == 's' || op == 'u' {
			return m.set(c, items)
		}
	case opaque:
		return nil
	}
	return fmt.Errorf("a %T is no container", below)
}

// set adds keys and values in turn.
func (m *machine) set(d *dict, items []any) error {
	if err := m.spend(48 * len(items)); err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.items = append(d.items, item{items[i], items[i+1]})
	}
	return nil
}

func (m *machine) stepMemo(op byte) (bool, error) {
	var key uint64
	var err error
	switch op {
	case 'q', 'h':
		key, err = m.number(1)
	case 'r', 'j':
		key, err = m.number(4)
	case 'p', 'g':
		var s string
		if s, err = m.line(); err == nil {
			key, err = strconv.ParseUint(s, 10, 32)
		}
	case 0x94:
		key = uint64(len(m.memo) + len(m.sparse))
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if op == 'g' || op == 'h' || op == 'j' {
		if key < uint64(len(m.memo)) {
			return true, m.push(m.memo[key])
		}
		v, ok := m.sparse[key]
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
	switch n := uint64(len(m.memo)); {
	case key < n:
		m.memo[key] = v
	case key == n:
		delete(m.sparse, key)
		m.memo = append(m.memo, v)
		return true, m.spend(48)
	default:
		m.sparse[key] = v
		return true, m.spend(160)
	}
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
		if !ok || !ok2 || len(a)+len(b) > maxLine {
			return true, errors.New("a class whose name is no text, or too long")
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
		if unread := (unreadStorage{}); errors.As(err, &unread) {
			v, err = opaque{class: unread.class, tensor: true}, nil
		}
		if err != nil {
			return true, err
		}
		return true, m.push(v)
	case 0x92: // NEWOBJ_EX, which has named arguments too
		if _, err := m.pop(); err != nil {
			return true, err
		}
		return true, m.reduce(true)
	case 'R', 0x81:
		return true, m.reduce(op == 0x81)
	case 'i', 'o':
		return true, m.instance(op == 'i')
	case 'b':
		state, err := m.pop()
		if err != nil {
			return true, err
		}
		object, err := m.top()
		if err != nil {
			return true, err
		}
		return true, m.build(object, state)
	}
	return false, nil
}

// instance makes an object as protocols 0 and 1 do: a class and its arguments stand behind a mark, or the class in two lines.
func (m *machine) instance(lines bool) error {
	var class any
	if lines {
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		class = global{module, name}
	}
	args, err := m.popMark()
	if err != nil {
		return err
	}
	if !lines {
		if len(args) == 0 {
			return errors.New("an object without a class")
		}
		class, args = args[0], args[1:]
	}
	v, err := m.construct(class, tuple(args), true)
	if err != nil {
		return err
	}
	return errors.Join(m.spend(objectBytes), m.push(v))
}

// reduce makes an object of a class or by a function, whose arguments lie above it.
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
	if v, err = m.construct(v, args, class); err != nil {
		return err
	}
	return errors.Join(m.spend(objectBytes), m.push(v))
}

// construct returns what a known class or function makes of arguments that are read, and an opaque value for everything else.
func (m *machine) construct(callee any, args tuple, class bool) (any, error) {
	if o, ok := callee.(opaque); ok { // a method of an object that is not read
		return o, nil
	}
	g, ok := callee.(global)
	if !ok {
		return nil, fmt.Errorf("a %T is called", callee)
	}
	f, known := functions[g.String()]
	if !known {
		rebuilt := !class && strings.HasPrefix(g.module, "torch.") && strings.Contains(g.name, "rebuild")
		return opaque{class: g, called: !class, tensor: rebuilt}, nil
	}
	for _, a := range args {
		if o, ok := a.(opaque); ok {
			return o, nil
		}
	}
	v, err := f(m, args)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", g, err)
	}
	return v, nil
}

// objectBytes is what an object of the known classes takes, the sizes of its parts aside.
const objectBytes = 256

// build gives an object its state.
func (m *machine) build(object, state any) error {
	switch o := object.(type) {
	case *ndarray:
		return o.build(m, state)
	case *dtype:
		return o.build(state)
	}
	return nil // attributes of dictionaries and of opaque objects are of no interest
}
