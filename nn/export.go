package nn

import "gorgonia.org/tensor"

// Exportable is a Kernel that has a form in ONNX.
type Exportable interface {
	Kernel
	// Export adds operators of ONNX that compute the operation, and returns the name of their result. in are the inputs of
	// Forward.
	Export(x Exporter, in []Operand) (string, error)
}

// Exporter writes an ONNX model. Maps are [N,C,H,W] in ONNX and [N,H,W,C] here; weights of convolutions are [O,I,R,S] in both. Values
// have names.
type Exporter interface {
	// Op adds an operator with one output, and returns the output's name. An empty name leaves out an optional input.
	Op(kind string, inputs []string, attributes ...Attribute) string
	// Floats adds a constant tensor and returns its name. Small constants of the same values share one, which then begins with the
	// prefix of the first.
	Floats(prefix string, v []float32, shape ...int) string
	// Ints adds a constant list of int64 and returns its name.
	Ints(v ...int) string
	// Read copies the values of a parameter.
	Read(o Operand) ([]float32, error)
	// ShapeOf returns the name of a map's shape [N,C,H,W] as a list of int64: a constant, or an operator where sizes are free.
	ShapeOf(o Operand) string
	// Clip bounds x, and returns the name of the result.
	Clip(x string, low, high float32) string
	// Opset is the version of the operator set, 10 or 13.
	Opset() int
}

// Operand is an input of an operation that is exported.
type Operand struct {
	Name  string        // of a map: its name in the model; of a parameter: the parameter's, fit to be the prefix of a constant
	Shape tensor.Shape  // of a map [N,H,W,C]
	Param *tensor.Dense // nil of a map
}

// Attribute is a setting of an operator.
type Attribute struct {
	Name  string
	Value any // float32, int, string or []int
}

// Attr is an attribute with one value: a float32, an int or a string.
func Attr[T float32 | int | string](name string, v T) Attribute { return Attribute{name, v} }

// Attrs is an attribute with a list of values.
func Attrs(name string, v ...int) Attribute { return Attribute{name, v} }
