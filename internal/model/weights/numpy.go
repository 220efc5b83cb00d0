package weights

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// functions are all that a pickle may call: what tensors and arrays are made with.
var functions = makers()

// maker makes an object of its arguments, and counts what it takes beyond objectBytes.
type maker func(m *machine, args tuple) (any, error)

func makers() map[string]maker {
	set := func(*machine, tuple) (any, error) { return &list{}, nil }
	f := map[string]maker{
		"collections.OrderedDict":         newDict,
		"collections.defaultdict":         func(*machine, tuple) (any, error) { return &dict{}, nil }, // its items follow
		"builtins.dict":                   newDict,
		"builtins.set":                    set,
		"__builtin__.set":                 set,
		"torch.Size":                      func(_ *machine, a tuple) (any, error) { return argument[tuple](a, 0) },
		"torch._utils._rebuild_tensor":    rebuildTensor,
		"torch._utils._rebuild_tensor_v2": rebuildTensor,
		"torch._utils._rebuild_parameter": func(_ *machine, a tuple) (any, error) { return argument[view](a, 0) },
		"_codecs.encode":                  encodeLatin1,
		"numpy.dtype":                     newDtype,
	}
	for _, core := range []string{"numpy.core.multiarray.", "numpy._core.multiarray."} {
		f[core+"_reconstruct"] = func(*machine, tuple) (any, error) { return &ndarray{}, nil }
		f[core+"scalar"] = func(*machine, tuple) (any, error) { return nil, nil } // a learning rate, a step
	}
	return f
}

// argument returns argument i with its type.
func argument[T any](args tuple, i int) (T, error) {
	var zero T
	if i >= len(args) {
		return zero, fmt.Errorf("argument %d is missing", i)
	}
	v, ok := args[i].(T)
	if !ok {
		return zero, fmt.Errorf("argument %d is a %T", i, args[i])
	}
	return v, nil
}

func newDict(m *machine, args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, err := argument[*list](args, 0)
	if err != nil {
		return nil, err
	}
	if err := m.spend(96 * len(pairs.items)); err != nil {
		return nil, err
	}
	for _, p := range pairs.items {
		kv, ok := p.(*list)
		if t, isTuple := p.(tuple); isTuple {
			kv, ok = &list{t}, true
		}
		if !ok || len(kv.items) != 2 {
			return nil, errors.New("an item that is no pair")
		}
		d.items = append(d.items, item{kv.items[0], kv.items[1]})
	}
	return d, nil
}

// encodeLatin1 is how Python 3 stores the bytes of an array under protocol 2: as text, one character a byte.
func encodeLatin1(m *machine, args tuple) (any, error) {
	if far, err := argument[*blob](args, 0); err == nil {
		return &blob{far.r, far.at, far.size, true}, nil
	}
	s, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	if err := m.spend(len(s)); err != nil {
		return nil, err
	}
	b := make([]byte, len(s))
	n, err := latin1(b, []byte(s))
	return b[:n], err
}

// latin1 writes the characters of a text in UTF-8 as bytes, and returns how many there are. dst and text may be the same.
func latin1(dst, text []byte) (n int, err error) {
	for i := 0; i < len(text); n++ {
		r, size := utf8.DecodeRune(text[i:])
		if r > 0xff {
			return 0, errors.New("a character that is no byte")
		}
		dst[n] = byte(r)
		i += size
	}
	return n, nil
}

// dtype is an element type of NumPy, such as f4; only little-endian ones are read.
type dtype struct {
	code string
	big  bool
}

func newDtype(_ *machine, args tuple) (any, error) {
	code, err := argument[string](args, 0)
	if len(code) > 16 {
		return nil, fmt.Errorf("a dtype whose name has %d letters", len(code))
	}
	return &dtype{code: code}, err
}

func (d *dtype) build(state any) error {
	t, ok := state.(tuple)
	if !ok {
		return fmt.Errorf("a dtype with the state %T", state)
	}
	order, err := argument[string](t, 1)
	d.big = order == ">"
	return err
}

// numpyTypes maps NumPy's codes to safetensors' names.
var numpyTypes = map[string]string{"f2": "F16", "f4": "F32", "f8": "F64", "i4": "I32", "i8": "I64"}

// ndarray is an array whose data stand in the pickle.
type ndarray struct {
	view  view
	fault error // that it cannot be read, which matters where it is taken for a tensor
}

// build gives the array its data.
func (a *ndarray) build(m *machine, state any) error {
	a.fault = a.fill(m, state)
	return nil
}

// fill takes (version, shape, dtype, Fortran order, data).
func (a *ndarray) fill(m *machine, state any) error {
	t, ok := state.(tuple)
	if !ok {
		return fmt.Errorf("an array with the state %T", state)
	}
	dims, err := argument[tuple](t, 1)
	if err != nil {
		return err
	}
	kind, err := argument[*dtype](t, 2)
	if err != nil {
		return err
	}
	held := &storage{}
	var size int64 // of the data; of a far text at least half of the characters
	data, err := argument[any](t, 4)
	if err != nil {
		return err
	}
	switch d := data.(type) {
	case []byte:
		held.held, size = d, int64(len(d))
	case string: // Python 2's bytes
		if err := m.spend(len(d)); err != nil {
			return err
		}
		held.held, size = []byte(d), int64(len(d))
	case *blob:
		held.r, held.at, size = d.r, d.at, d.size
		if d.latin1 {
			held.text = d.size
		}
	default:
		return fmt.Errorf("an array whose data are a %T", data)
	}
	shape, err := integers(dims)
	if err != nil {
		return err
	}
	n, err := elements(shape)
	if err != nil {
		return err
	}
	name, known := numpyTypes[kind.code]
	if !known || kind.big {
		name = kind.code // listed, and refused when it is read
	}
	want := int64(n) * int64(max(sizes[name], 1))
	if n > math.MaxInt64/8 || known && want != size && (held.text == 0 || want > size || size > 2*want) {
		return fmt.Errorf("an array of shape %v and type %s with %d bytes", shape, name, size)
	}
	strides := make([]int, len(shape))
	step := 1
	fortran, _ := t[3].(bool)
	for i := range shape {
		k := len(shape) - 1 - i
		if fortran {
			k = i
		}
		strides[k] = step
		step *= shape[k]
	}
	held.dtype, held.count = name, n
	a.view = view{shape: shape, strides: strides, storage: held}
	return nil
}

// maxAxes bounds a tensor's axes, as NumPy does.
const maxAxes = 64

// integers converts a tuple.
func integers(t tuple) ([]int, error) {
	if len(t) > maxAxes {
		return nil, fmt.Errorf("%d axes", len(t))
	}
	out := make([]int, len(t))
	for i := range t {
		v, err := argument[int64](t, i)
		if err != nil {
			return nil, err
		}
		if v < 0 || v > 1<<40 {
			return nil, fmt.Errorf("a size of %d", v)
		}
		out[i] = int(v)
	}
	return out, nil
}
