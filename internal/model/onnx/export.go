package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/file"
	"retinago/nn"
)

// Outputs of an exported model.
const (
	Raw        = "raw"        // logits [N,A,K] and deltas [N,A,4]
	Boxes      = "boxes"      // boxes [N,A,4], x1 y1 x2 y2 in px of the canvas, and scores [N,A,K]
	Detections = "detections" // after NMS: boxes [D,4], scores [D] and labels [D] of one picture, best first
)

// Options say what is exported.
type Options struct {
	H, W    int    // of the canvas; with Dynamic they are not read
	Dynamic bool   // any canvas of multiples of 32 px, and for Raw and Boxes any batch
	Batch   int    // 0 is 1
	Outputs string // Raw, Boxes or Detections; empty is Raw
	Version string // of the program
}

// nominal is the canvas that a dynamic model's graph is read from.
const nominal = 256

// multiple of px: canvases at which every map of the backbone is half of the one before.
const multiple = 32

// Export writes the model to a file. The network is the one that detects: norms are folded into convolutions. An error
// of the disk leaves no file.
func Export(m *detector.Model, info detector.Info, path string, o Options) error {
	b, err := Marshal(m, info, o)
	if err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	if err := file.WriteBytes(path, b); err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	return nil
}

// Marshal returns the bytes of the model.
func Marshal(m *detector.Model, info detector.Info, o Options) ([]byte, error) {
	if o.Batch == 0 {
		o.Batch = 1
	}
	if o.Outputs == "" {
		o.Outputs = Raw
	}
	if o.Dynamic {
		o.H, o.W = nominal, nominal
	}
	in := info.Config.Infer
	switch {
	case o.H < multiple || o.W < multiple || o.H%multiple != 0 || o.W%multiple != 0:
		return nil, fmt.Errorf("a canvas of %dx%d: height and width must be multiples of %d", o.H, o.W, multiple)
	case o.Batch < 1:
		return nil, fmt.Errorf("a batch of %d", o.Batch)
	case o.Outputs != Raw && o.Outputs != Boxes && o.Outputs != Detections:
		return nil, fmt.Errorf("outputs %q: there are %s, %s and %s", o.Outputs, Raw, Boxes, Detections)
	case o.Outputs == Detections && o.Batch != 1:
		return nil, fmt.Errorf("detections of a batch of %d: they are of one picture, whose number of objects is free", o.Batch)
	case o.Outputs == Detections && in.Method != "greedy" && in.Method != "agnostic":
		return nil, fmt.Errorf("infer.method %s: ONNX has an operation for greedy and agnostic only; export %s instead", in.Method, Boxes)
	}
	e := &exporter{graph: newGraph(), model: m, engine: m.Engine(), config: info.Config, options: o, name: map[*G.Node]string{}}
	if err := m.InferGraph(o.Batch, o.H, o.W, e.network); err != nil {
		return nil, err
	}
	meta, err := metadata(info, o)
	if err != nil {
		return nil, err
	}
	return e.graph.model("retinago", o.Version, doc(info, o), e.opset(), meta), nil
}

// opset is the operator set: what free sizes and NMS need, otherwise an older one, of which OpenCV 4.6 knows all that is
// used here.
func (e *exporter) opset() int {
	if e.options.Dynamic || e.options.Outputs == Detections {
		return opset
	}
	return olderOpset
}

// metadata is what a user of the model must know, as JSON under the program's name, and the classes in a line of their own.
func metadata(info detector.Info, o Options) (map[string]string, error) {
	d, a := info.Config.Data, info.Config.Model.Anchors
	js, err := json.Marshal(map[string]any{
		"categories": info.Categories, "mean": d.Mean, "std": d.Std, "short_side": d.TestSide(), "max_side": d.MaxSide, "canvas_multiple": d.CanvasMultiple,
		"anchors": map[string]any{"strides": a.Strides, "sizes": a.Sizes, "scales": a.Scales, "ratios": a.Ratios, "integer_sizes": a.IntegerSizes, "canvas_strides": a.CanvasStrides},
		"infer":   map[string]any{"score": info.Config.Infer.Score, "nms": info.Config.Infer.NMS, "top_k": info.Config.Infer.TopK, "max_detections": info.Config.Infer.MaxDetections},
		"outputs": o.Outputs,
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range info.Categories {
		names = append(names, c.Name)
	}
	return map[string]string{"retinago": string(js), "names": strings.Join(names, "\n")}, nil
}

func doc(info detector.Info, o Options) string {
	d := info.Config.Data
	return fmt.Sprintf("RetinaNet on %s, %d classes. Input images [N,3,H,W]: R, G, B of [0,1] less %v, over %v; a picture is resized to a short side of %d px "+
		"(long side at most %d), put at the top left, and the rest is zeros. Outputs: %s.", info.Config.Model.Backbone, len(info.Categories), d.Mean, d.Std,
		d.TestSide(), d.MaxSide, map[string]string{Raw: "logits [N,A,K] and deltas [N,A,4]", Boxes: "boxes [N,A,4] and scores [N,A,K]",
			Detections: "boxes [D,4], scores [D], labels [D]"}[o.Outputs])
}

// size gives H and W of the input: numbers, or names.
func (o Options) size() (n, h, w dim) {
	n, h, w = dim{n: o.Batch}, dim{n: o.H}, dim{n: o.W}
	if o.Dynamic {
		h, w = dim{name: "height"}, dim{name: "width"}
		if o.Outputs != Detections {
			n = dim{name: "batch"}
		}
	}
	return n, h, w
}

type exporter struct {
	graph   *graph
	model   *detector.Model
	engine  engine.Engine
	config  config.Config
	options Options
	name    map[*G.Node]string // of values, in N,C,H,W
}

const input = "images"

// network writes the graph's operations and what the options ask for after them.
func (e *exporter) network(g detector.Graph) error {
	n, h, w := e.options.size()
	e.graph.input(input, typeFloat, n, dim{n: 3}, h, w)
	e.name[g.Images] = input
	if err := g.Plan.Walk(e.operation); err != nil {
		return err
	}
	var logits, deltas []string
	for l := range g.Logits {
		logits = append(logits, e.name[g.Logits[l]])
		deltas = append(deltas, e.name[g.Deltas[l]])
	}
	e.outputs(logits, deltas, g.Cells)
	return nil
}

// operation writes one operation of the network.
func (e *exporter) operation(n *G.Node, in []*G.Node, layer any) error {
	var y string
	var err error
	switch l := layer.(type) {
	case nn.ConvLayer:
		y, err = e.conv(in, l)
	case nn.PoolLayer:
		y = e.graph.op("MaxPool", e.values(in), ints("kernel_shape", l.Kernel, l.Kernel), ints("strides", l.Stride, l.Stride), ints("pads", l.Pad, l.Pad, l.Pad, l.Pad))
	case nn.UpsampleAddLayer:
		y = e.upsample(in)
	case nn.ActivationLayer:
		y = e.activation(e.name[in[0]], l.Activation)
	case nn.AddLayer:
		y = e.activation(e.graph.op("Add", e.values(in)), l.Activation)
	case nn.GroupNormLayer:
		y, err = e.groupNorm(in, l)
	default:
		return fmt.Errorf("the network has an operation that has no counterpart: %v", n.Op())
	}
	e.name[n] = y
	return err
}

func (e *exporter) values(in []*G.Node) []string {
	var s []string
	for _, n := range in {
		s = append(s, e.name[n])
	}
	return s
}

func ints(name string, v ...int) attribute { return attribute{name, v} }

func (e *exporter) conv(in []*G.Node, l nn.ConvLayer) (string, error) {
	rest := in[2:]
	next := func(have bool) *G.Node {
		if !have {
			return nil
		}
		n := rest[0]
		rest = rest[1:]
		return n
	}
	scale, bias, residual := next(l.Scale), next(l.Bias), next(l.Residual)
	shape := in[1].Shape()
	w, err := e.read(in[1])
	if err != nil {
		return "", err
	}
	if scale != nil {
		s, err := e.read(scale)
		if err != nil {
			return "", err
		}
		row := len(w) / len(s)
		for i := range w {
			w[i] *= s[i/row]
		}
	}
	inputs := []string{e.name[in[0]], e.graph.floats(label(in[1]), w, shape...)}
	if bias != nil {
		b, err := e.read(bias)
		if err != nil {
			return "", err
		}
		inputs = append(inputs, e.graph.floats(label(bias), b, len(b)))
	}
	y := e.graph.op("Conv", inputs, ints("kernel_shape", shape[2], shape[3]), ints("strides", l.Stride, l.Stride),
		ints("pads", l.Pad, l.Pad, l.Pad, l.Pad), attribute{"group", max(l.Groups, 1)})
	if residual != nil {
		y = e.graph.op("Add", []string{y, e.name[residual]})
	}
	return e.activation(y, l.Activation), nil
}

// label is a parameter's name, made fit for a value's.
func label(n *G.Node) string { return strings.ReplaceAll(n.Name(), " ", "_") }

func (e *exporter) activation(x string, r engine.Activation) string {
	switch r.Kind {
	case engine.Identity:
		return x
	case engine.Swish:
		return e.graph.op("Mul", []string{x, e.graph.op("Sigmoid", []string{x})})
	}
	low := float32(0)
	if r.Slope > 0 {
		x, low = e.graph.op("LeakyRelu", []string{x}, attribute{"alpha", r.Slope}), -math.MaxFloat32
	}
	switch {
	case r.Cap > 0:
		return e.clip(x, low, r.Cap)
	case r.Slope > 0:
		return x
	}
	return e.graph.op("Relu", []string{x})
}

// upsample doubles the coarser map: canvases are such that the finer has twice its size.
func (e *exporter) upsample(in []*G.Node) string {
	scales := e.graph.floats("scales", []float32{1, 1, 2, 2}, 4)
	nearest := attribute{"mode", "nearest"}
	var up string
	if e.opset() < opset {
		up = e.graph.op("Resize", []string{e.name[in[0]], scales}, nearest)
	} else {
		up = e.graph.op("Resize", []string{e.name[in[0]], "", scales}, nearest, attribute{"coordinate_transformation_mode", "asymmetric"}, attribute{"nearest_mode", "floor"})
	}
	return e.graph.op("Add", []string{up, e.name[in[1]]})
}

// groupNorm is an instance normalisation of the groups as channels, since operator set 13 has no group normalisation.
func (e *exporter) groupNorm(in []*G.Node, l nn.GroupNormLayer) (string, error) {
	g, x := e.graph, e.name[in[0]]
	s := in[0].Shape()
	c, groups := s[3], l.Groups
	gamma, err := e.read(in[1])
	if err != nil {
		return "", err
	}
	beta, err := e.read(in[2])
	if err != nil {
		return "", err
	}
	one := make([]float32, groups)
	for i := range one {
		one[i] = 1
	}
	shape := g.ints(s[0], c, s[1], s[2])
	if e.options.Dynamic {
		shape = g.op("Shape", []string{x})
	}
	y := g.op("Reshape", []string{x, g.ints(0, groups, -1)})
	y = g.op("InstanceNormalization", []string{y, g.floats("one", one, groups), g.floats("zero", make([]float32, groups), groups)}, attribute{"epsilon", l.Eps})
	y = g.op("Reshape", []string{y, shape})
	y = g.op("Mul", []string{y, g.floats(label(in[1]), gamma, 1, c, 1, 1)})
	y = g.op("Add", []string{y, g.floats(label(in[2]), beta, 1, c, 1, 1)})
	return e.activation(y, l.Activation), nil
}

// read copies a parameter.
func (e *exporter) read(n *G.Node) ([]float32, error) {
	t, ok := n.Value().(*tensor.Dense)
	if !ok {
		return nil, fmt.Errorf("%s is not a parameter", n.Name())
	}
	v := make([]float32, n.Shape().TotalSize())
	return v, e.engine.Download(v, t)
}
