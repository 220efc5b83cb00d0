package nn

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// forms are the operations of this package: the operators of ONNX that each exports as, "-" for those of training alone, and
// its form in a network of 8 bits.
var forms = []struct {
	kernel     Kernel
	in         []tensor.Shape
	onnx, int8 string
}{
	{&conv{p: engine.ConvParams{Stride: 2, Pad: 1}}, []tensor.Shape{{1, 8, 8, 4}, {6, 4, 3, 3}}, "Conv", "convolution 0 0 0"},
	{&conv{scale: true, bias: true, residual: true, p: engine.ConvParams{Stride: 1, Activation: engine.ReLU6}},
		[]tensor.Shape{{1, 8, 8, 4}, {6, 4, 1, 1}, {6}, {6}, {1, 8, 8, 6}}, "Conv Add Clip", "convolution 2 3 4"},
	{&groupNorm{norm{p: engine.NormParams{Groups: 2, Activation: engine.ReLU}}}, []tensor.Shape{{1, 8, 8, 4}, {4}, {4}},
		"Reshape InstanceNormalization Reshape Mul Add Relu", "float"},
	{&norm{batch: true}, nil, "-", "-"},
	{&maxPool{engine.PoolParams{Kernel: 3, Stride: 2, Pad: 1}}, []tensor.Shape{{1, 8, 8, 4}}, "MaxPool", "x.pool: bytes of the input's range"},
	{upsampleAdd{}, []tensor.Shape{{1, 4, 4, 4}, {1, 8, 8, 4}}, "Resize Add", "y.sum: bytes"},
	{activate{engine.LeakyReLU(.1)}, []tensor.Shape{{1, 8, 8, 4}}, "LeakyRelu", "x.relu: bytes"},
	{activate{engine.Activation{Kind: engine.Rectified, Slope: .1, Cap: 6}}, []tensor.Shape{{1, 8, 8, 4}}, "LeakyRelu Clip", "x.relu: bytes"},
	{activate{engine.SiLU}, []tensor.Shape{{1, 8, 8, 4}}, "Sigmoid Mul", "x.relu: bytes"},
	{&sum{engine.ReLU}, []tensor.Shape{{1, 8, 8, 4}, {1, 8, 8, 4}}, "Add Relu", "x.sum: float"},
	{squeeze{}, []tensor.Shape{{1, 8, 8, 4}}, "GlobalAveragePool", "x.squeeze: float"},
	{gate{}, []tensor.Shape{{1, 8, 8, 4}, {1, 1, 1, 4}}, "Sigmoid Mul", "x.gate: float"},
	{&convert{tensor.Float32}, []tensor.Shape{{1, 8, 8, 4}}, "", "-"}, // engines with types of activations do not compute in 8 bits

	{&row{}, nil, "-", "-"},
	{&part{}, nil, "-", "-"},
	{&convData{}, nil, "-", "-"},
	{&convWeights{}, nil, "-", "-"},
	{biasGrad{}, nil, "-", "-"},
	{activateGrad{}, nil, "-", "-"},
	{&normGrad{&norm{}}, nil, "-", "-"},
	{&normParamGrad{&norm{}}, nil, "-", "-"},
	{&maxPoolGrad{}, nil, "-", "-"},
	{&upsampleGrad{}, nil, "-", "-"},
	{squeezeGrad{}, nil, "-", "-"},
	{gateGrad{}, nil, "-", "-"},
}

// operators is an Exporter that lists the operators.
type operators struct{ kinds []string }

func (o *operators) Op(kind string, inputs []string, _ ...Attribute) string {
	o.kinds = append(o.kinds, kind)
	return kind
}

func (o *operators) Floats(prefix string, v []float32, shape ...int) string {
	if n := tensor.Shape(shape).TotalSize(); n != len(v) {
		panic(fmt.Sprintf("%s has %d values for %v", prefix, len(v), shape))
	}
	return prefix
}

func (o *operators) Ints(...int) string       { return "ints" }
func (o *operators) ShapeOf(v Operand) string { return v.Name }
func (o *operators) Opset() int               { return 13 }

func (o *operators) Read(v Operand) ([]float32, error) {
	return make([]float32, v.Shape.TotalSize()), nil
}

func (o *operators) Clip(x string, _, _ float32) string { return o.Op("Clip", []string{x}) }

// Every operation has the forms that the table says, and every one is in the table.
func TestForms(t *testing.T) {
	var listed []string
	for _, f := range forms {
		listed = append(listed, reflect.Indirect(reflect.ValueOf(f.kernel)).Type().Name())
		name := fmt.Sprintf("%s %+v", f.kernel.Name(), f.kernel)
		onnx := "-"
		if k, ok := f.kernel.(Exportable); ok {
			var in []Operand
			for i, s := range f.in {
				in = append(in, Operand{Name: string(rune('a' + i)), Shape: s})
			}
			var x operators
			y, err := k.Export(&x, in)
			if onnx = strings.Join(x.kinds, " "); err != nil || len(x.kinds) > 0 && y != x.kinds[len(x.kinds)-1] || len(x.kinds) == 0 && y != "a" {
				t.Errorf("%s: the result is %q, %v", name, y, err)
			}
		}
		int8 := "-"
		if k, ok := f.kernel.(Quantizable); ok {
			int8 = k.Int8().text()
		}
		if onnx != f.onnx || int8 != f.int8 {
			t.Errorf("%s is %q in ONNX and %q in 8 bits, want %q and %q", name, onnx, int8, f.onnx, f.int8)
		}
	}
	for _, k := range kernels(t) {
		if !slices.Contains(listed, k) {
			t.Errorf("the table lacks %s", k)
		}
	}
}

// text says what a form is.
func (f Int8Form) text() string {
	name := ""
	if f.Suffix != "" {
		name = "xy"[f.After:f.After+1] + "." + f.Suffix + ": "
	}
	switch {
	case f.Conv != nil:
		return fmt.Sprint(name+"convolution ", f.Conv.Scale, f.Conv.Bias, f.Conv.Residual)
	case f.Bytes != nil && f.Chooses:
		return name + "bytes of the input's range"
	case f.Bytes != nil:
		return name + "bytes"
	}
	return name + "float"
}

// kernels are the types of this package that have a Forward.
func kernels(t *testing.T) (names []string) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "Forward" {
				receiver := f.Recv.List[0].Type
				if p, ok := receiver.(*ast.StarExpr); ok {
					receiver = p.X
				}
				names = append(names, receiver.(*ast.Ident).Name)
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %v have a Forward", names)
	}
	return names
}
