package weights

import (
	"errors"
	"fmt"
)

// functions are all that a pickle may call: what tensors and arrays are made with.
var functions = makers()

func makers() map[string]func(args tuple) (any, error) {
	f := map[string]func(args tuple) (any, error){
		"collections.OrderedDict":         newDict,
		"builtins.dict":                   newDict,
		"builtins.set":                    func(tuple) (any, error) { return &list{}, nil },
		"__builtin__.set":                 func(tuple) (any, error) { return &list{}, nil },
		"torch.Size":                      func(a tuple) (any, error) { return argument[tuple](a, 0) },
		"torch._utils._rebuild_tensor":    rebuildTensor,
		"torch._utils._rebuild_tensor_v2": rebuildTensor,
		"torch._utils._rebuild_parameter": func(a tuple) (any, error) { return argument[view](a, 0) },
		"_codecs.encode":                  encodeLatin1,
		"numpy.dtype":                     newDtype,
	}
	for _, core := range []string{"numpy.core.multiarray.", "numpy._core.multiarray."} {
		f[core+"_reconstruct"] = func(tuple) (any, error) { return &ndarray{}, nil }
		f[core+"scalar"] = func(tuple) (any, error) { return nil, nil } // a learning rate, a step
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

func newDict(args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, err := argument[*list](args, 0)
	if err != nil {
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
func encodeLatin1(args tuple) (any, error) {
	s, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, errors.New("a character that is no byte")
		}
		b = append(b, byte(r))
	}
	return b, nil
}

// dtype is an element type of NumPy, such as f4; only little-endian ones are read.
type dtype struct {
	code string
	big  bool
}

func newDtype(args tuple) (any, error) {
	code, err := argument[string](args, 0)
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
type ndarray struct{ view view }

// build takes (version, shape, dtype, Fortran order, data).
func (a *ndarray) build(state any) error {
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
	data, err := argument[[]byte](t, 4)
	if err != nil {
		if s, ok := t[min(4, len(t)-1)].(string); ok { // Python 2's bytes
			data = []byte(s)
		} else {
			return err
		}
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
	if known && n*sizes[name] != len(data) {
		return fmt.Errorf("an array of shape %v and type %s with %d bytes", shape, name, len(data))
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
	a.view = view{shape: shape, strides: strides, storage: &storage{dtype: name, count: n, held: data}}
	return nil
}

// integers converts a tuple.
func integers(t tuple) ([]int, error) {
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
