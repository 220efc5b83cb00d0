package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"retinago/nn"
)

// Types of elements, TensorProto.DataType.
const (
	typeFloat  = 1
	typeUint8  = 2
	typeInt64  = 7
	typeDouble = 11
)

// dim is a dimension of an input or output: a number, or a name where it is free.
type dim struct {
	n    int
	name string
}

func (d dim) String() string {
	if d.name != "" {
		return d.name
	}
	return strconv.Itoa(d.n)
}

// typeNames are as ONNX Runtime writes them.
var typeNames = map[int]string{typeFloat: "float32", typeUint8: "uint8", typeInt64: "int64"}

// Value describes an input or an output of a model.
type Value struct {
	Name string
	Type string   // of the elements: float32, uint8 or int64
	Dims []string // numbers, or names of free dimensions
}

// String returns the value as "images float32 [1,3,height,width]".
func (v Value) String() string { return v.Name + " " + v.Type + " [" + strings.Join(v.Dims, ",") + "]" }

// Signature lists a model's inputs and outputs.
type Signature struct{ Inputs, Outputs []Value }

func described(name string, elem int, dims []dim) Value {
	v := Value{Name: name, Type: typeNames[elem]}
	for _, d := range dims {
		v.Dims = append(v.Dims, d.String())
	}
	return v
}

// graph collects a GraphProto. Names of values are made up by fresh.
type graph struct {
	nodes, initializers, inputs, outputs []byte
	count                                int
	constants                            map[string]string // name by content
	signature                            Signature
}

func newGraph() *graph { return &graph{constants: map[string]string{}} }

func (g *graph) fresh(prefix string) string {
	g.count++
	return fmt.Sprintf("%s_%d", prefix, g.count)
}

// AttributeProto.type.
const (
	attributeFloat  = 1
	attributeInt    = 2
	attributeString = 3
	attributeInts   = 7
)

// attribute is the bytes of an AttributeProto.
func attribute(a nn.Attribute) []byte {
	b := protowire.AppendTag(nil, 1, protowire.BytesType)
	b = protowire.AppendString(b, a.Name)
	kind := uint64(0)
	switch v := a.Value.(type) {
	case float32:
		kind = attributeFloat
		b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
		b = protowire.AppendFixed32(b, math.Float32bits(v))
	case int:
		kind = attributeInt
		b = protowire.AppendTag(b, 3, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(int64(v)))
	case string:
		kind = attributeString
		b = protowire.AppendTag(b, 4, protowire.BytesType)
		b = protowire.AppendString(b, v)
	case []int:
		kind = attributeInts
		for _, x := range v {
			b = protowire.AppendTag(b, 8, protowire.VarintType)
			b = protowire.AppendVarint(b, uint64(int64(x)))
		}
	default:
		panic(fmt.Sprintf("onnx: attribute %s is a %T", a.Name, a.Value))
	}
	b = protowire.AppendTag(b, 20, protowire.VarintType)
	return protowire.AppendVarint(b, kind)
}

// Op adds an operation with one output and returns the output's name.
func (g *graph) Op(kind string, inputs []string, attributes ...nn.Attribute) string {
	return g.ops(kind, inputs, 1, attributes...)[0]
}

// ops adds an operation with several outputs.
func (g *graph) ops(kind string, inputs []string, outputs int, attributes ...nn.Attribute) []string {
	name := g.fresh(kind)
	var out []string
	var b []byte
	for _, in := range inputs {
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendString(b, in)
	}
	for i := range outputs {
		o := name
		if i > 0 {
			o = fmt.Sprintf("%s_%d", name, i)
		}
		out = append(out, o)
		b = protowire.AppendTag(b, 2, protowire.BytesType)
		b = protowire.AppendString(b, o)
	}
	b = protowire.AppendTag(b, 3, protowire.BytesType)
	b = protowire.AppendString(b, name)
	b = protowire.AppendTag(b, 4, protowire.BytesType)
	b = protowire.AppendString(b, kind)
	for _, a := range attributes {
		b = message(b, 5, attribute(a))
	}
	g.nodes = message(g.nodes, 1, b)
	return out
}

// output makes a value one of the graph's outputs under another name.
func (g *graph) output(name, value string, elem int, dims ...dim) {
	b := protowire.AppendTag(nil, 1, protowire.BytesType)
	b = protowire.AppendString(b, value)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendString(b, name)
	b = protowire.AppendTag(b, 4, protowire.BytesType)
	b = protowire.AppendString(b, "Identity")
	g.nodes = message(g.nodes, 1, b)
	g.signature.Outputs = append(g.signature.Outputs, described(name, elem, dims))
	g.outputs = message(g.outputs, 12, valueInfo(name, elem, dims))
}

func (g *graph) input(name string, elem int, dims ...dim) {
	g.signature.Inputs = append(g.signature.Inputs, described(name, elem, dims))
	g.inputs = message(g.inputs, 11, valueInfo(name, elem, dims))
}

// Floats adds a constant tensor.
func (g *graph) Floats(name string, v []float32, dims ...int) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return g.constant(name, typeFloat, b, dims)
}

// Ints adds a constant list of int64.
func (g *graph) Ints(v ...int) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(int64(x)))
	}
	return g.constant("ints", typeInt64, b, []int{len(v)})
}

// scalar adds an int64 without dimensions.
func (g *graph) scalar(v int) string {
	return g.constant("int", typeInt64, binary.LittleEndian.AppendUint64(nil, uint64(int64(v))), nil)
}

// double adds a float64 without dimensions.
func (g *graph) double(v float64) string {
	return g.constant("double", typeDouble, binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)), nil)
}

// constant adds a tensor once: small ones of the same content share a name.
func (g *graph) constant(name string, elem int, raw []byte, dims []int) string {
	key := ""
	if len(raw) <= 256 {
		key = fmt.Sprint(elem, dims, raw)
		if n, ok := g.constants[key]; ok {
			return n
		}
	}
	name = g.fresh(name)
	var b []byte
	for _, d := range dims {
		b = protowire.AppendTag(b, 1, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(d))
	}
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(elem))
	b = protowire.AppendTag(b, 8, protowire.BytesType)
	b = protowire.AppendString(b, name)
	b = message(b, 9, raw)
	g.initializers = message(g.initializers, 5, b)
	if key != "" {
		g.constants[key] = name
	}
	return name
}

// model is the bytes of a ModelProto.
func (g *graph) model(producer, version, doc string, operators int, metadata map[string]string) []byte {
	gr := slices.Clone(g.nodes)
	gr = protowire.AppendTag(gr, 2, protowire.BytesType)
	gr = protowire.AppendString(gr, "retinanet")
	gr = append(gr, g.initializers...)
	gr = append(append(gr, g.inputs...), g.outputs...)

	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, irVersion)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendString(b, producer)
	b = protowire.AppendTag(b, 3, protowire.BytesType)
	b = protowire.AppendString(b, version)
	b = protowire.AppendTag(b, 6, protowire.BytesType)
	b = protowire.AppendString(b, doc)
	b = message(b, 7, gr)
	set := protowire.AppendTag(nil, 2, protowire.VarintType)
	set = protowire.AppendVarint(set, uint64(operators))
	b = message(b, 8, set)
	keys := make([]string, 0, len(metadata))
	for k := range metadata {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		e := protowire.AppendTag(nil, 1, protowire.BytesType)
		e = protowire.AppendString(e, k)
		e = protowire.AppendTag(e, 2, protowire.BytesType)
		e = protowire.AppendString(e, metadata[k])
		b = message(b, 14, e)
	}
	return b
}

const (
	irVersion  = 8
	opset      = 13
	olderOpset = 10
)

// valueInfo is a ValueInfoProto: name and TypeProto.
func valueInfo(name string, elem int, dims []dim) []byte {
	var shape []byte
	for _, d := range dims {
		var one []byte
		if d.name != "" {
			one = protowire.AppendTag(one, 2, protowire.BytesType)
			one = protowire.AppendString(one, d.name)
		} else {
			one = protowire.AppendTag(one, 1, protowire.VarintType)
			one = protowire.AppendVarint(one, uint64(d.n))
		}
		shape = message(shape, 1, one)
	}
	t := protowire.AppendTag(nil, 1, protowire.VarintType)
	t = protowire.AppendVarint(t, uint64(elem))
	t = message(t, 2, shape)
	b := protowire.AppendTag(nil, 1, protowire.BytesType)
	b = protowire.AppendString(b, name)
	return message(b, 2, message(nil, 1, t))
}

// message appends an embedded message or bytes.
func message(b []byte, field protowire.Number, m []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, m)
}
