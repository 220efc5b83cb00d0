package onnx

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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
	Detections = "detections" // after NMS: boxes [D,4], scores [D] and labels [D] of one image, best first
)

// Options say what is exported.
type Options struct {
	H, W    int    // of the canvas; with Dynamic they are not read
	Dynamic bool   // any canvas of multiples of 32 px, and for Raw and Boxes any batch
	Batch   int    // 0 is 1
	Outputs string // Raw, Boxes or Detections; empty is Raw
	Version string // of the program

	// Preprocess puts into the model what comes before the network. Its input is then images [N,h,w,3] of any size, bytes in R, G, B. They
	// are resized as data.short_sides and data.max_side say, and no larger than a fixed canvas; a dynamic canvas is the next multiple of
	// data.canvas_multiple. Boxes are clipped to the image and in its pixels. Raw outputs cannot have it.
	Preprocess bool
}

// nominal is the canvas that a dynamic model's graph is read from.
const nominal = 256

// multiple of px: canvases at which every map of the backbone is half of the one before.
const multiple = 32

// Export writes the model to a file and returns its inputs and outputs. The network is the one that detects: norms are folded into
// convolutions. An error of the disk leaves no file.
func Export(m *detector.Model, info detector.Info, path string, o Options) (Signature, error) {
	b, signature, err := marshal(m, info, o)
	if err != nil {
		return signature, fmt.Errorf("onnx: %w", err)
	}
	if err := file.WriteBytes(path, b); err != nil {
		return signature, fmt.Errorf("onnx: %w", err)
	}
	return signature, nil
}

// marshal returns the bytes of the model, and its inputs and outputs.
func marshal(m *detector.Model, info detector.Info, o Options) ([]byte, Signature, error) {
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
		return nil, Signature{}, fmt.Errorf("a canvas of %dx%d: height and width must be multiples of %d", o.H, o.W, multiple)
	case o.Batch < 1:
		return nil, Signature{}, fmt.Errorf("a batch of %d", o.Batch)
	case o.Outputs != Raw && o.Outputs != Boxes && o.Outputs != Detections:
		return nil, Signature{}, fmt.Errorf("outputs %q: there are %s, %s and %s", o.Outputs, Raw, Boxes, Detections)
	case o.Outputs == Detections && o.Batch != 1:
		return nil, Signature{}, fmt.Errorf("detections of a batch of %d: they are of one image, whose number of objects is free", o.Batch)
	case o.Outputs == Raw && o.Preprocess:
		return nil, Signature{}, fmt.Errorf("preprocessing with outputs %s: deltas are of anchors on the canvas; export %s or %s", Raw, Boxes, Detections)
	case o.Outputs == Detections && in.Method != "greedy" && in.Method != "agnostic":
		return nil, Signature{}, fmt.Errorf("infer.method %s: ONNX has an operation for greedy and agnostic only; export %s instead", in.Method, Boxes)
	}
	e := &exporter{graph: newGraph(), engine: m.Engine(), config: info.Config, options: o, least: leastScore(info), scores: classScores(info)}
	if err := m.InferGraph(o.Batch, o.H, o.W, e.network); err != nil {
		return nil, Signature{}, err
	}
	meta, err := metadata(info, o)
	if err != nil {
		return nil, Signature{}, err
	}
	return e.graph.model("retinago", o.Version, doc(info, o), e.Opset(), meta), e.signature, nil
}

// leastScore is the least score of detections: infer.score, or that of a class which the checkpoint has and which is lower.
func leastScore(info detector.Info) float64 {
	least := info.Config.Infer.Score
	for _, v := range info.Scores {
		if v > 0 { // 0 is a class that was not measured
			least = min(least, v)
		}
	}
	return least
}

// classScores returns the least score of each class, as infer.ClassScores does, or nil.
func classScores(info detector.Info) (scores []float32) {
	for _, v := range info.Scores {
		if v == 0 {
			v = .5
		}
		scores = append(scores, float32(v))
	}
	return scores
}

// Opset is the operator set: what free sizes, preprocessing and NMS need, otherwise an older one, of which OpenCV 4.6 knows all that is
// used here.
func (e *exporter) Opset() int {
	if e.options.Dynamic || e.options.Outputs == Detections || e.options.Preprocess {
		return opset
	}
	return olderOpset
}

// metadata is what a user of the model must know, as JSON under the program's name, and the classes in a line of their own.
func metadata(info detector.Info, o Options) (map[string]string, error) {
	d, a := info.Config.Data, info.Config.Model.Anchors
	m := map[string]any{
		"categories": info.Categories, "mean": d.Mean, "std": d.Std, "short_side": d.TestSide(), "max_side": d.MaxSide, "canvas_multiple": d.CanvasMultiple,
		"anchors": map[string]any{"strides": a.Strides, "sizes": a.Sizes, "scales": a.Scales, "ratios": a.Ratios, "integer_sizes": a.IntegerSizes, "canvas_strides": a.CanvasStrides},
		"infer":   map[string]any{"score": leastScore(info), "nms": info.Config.Infer.NMS, "top_k": info.Config.Infer.TopK, "max_detections": info.Config.Infer.MaxDetections},
		"outputs": o.Outputs, "preprocess": o.Preprocess,
	}
	if info.Scores != nil {
		m["scores"] = info.Scores
	}
	js, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return map[string]string{"retinago": string(js), "names": strings.Join(classNames(info), "\n")}, nil
}

func classNames(info detector.Info) (names []string) {
	for _, c := range info.Categories {
		names = append(names, c.Name)
	}
	return names
}

func doc(info detector.Info, o Options) string {
	d := info.Config.Data
	in := fmt.Sprintf("Input images [N,3,H,W]: R, G, B of [0,1] less %v, over %v; an image is resized to a short side of %d px (long side at most %d), "+
		"put at the top left, and the rest is zeros.", d.Mean, d.Std, d.TestSide(), d.MaxSide)
	if o.Preprocess {
		in = "Input pictures [N,height,width,3]: bytes in R, G, B. Boxes are in px of the image."
	}
	return fmt.Sprintf("RetinaNet on %s, %d classes. %s Outputs: %s.", info.Config.Model.Backbone, len(info.Categories), in,
		map[string]string{Raw: "logits [N,A,K] and deltas [N,A,4]", Boxes: "boxes [N,A,4] and scores [N,A,K]", Detections: "boxes [D,4], scores [D], labels [D]"}[o.Outputs])
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

// exporter writes a model. It is the nn.Exporter of the network's operations.
type exporter struct {
	*graph
	engine  engine.Engine
	config  config.Config
	options Options
	least   float64   // score of a detection
	scores  []float32 // least of each class that detect reports, where the checkpoint has them
	names   []string  // of the network's values in the model, by number; maps are [N,C,H,W]
	canvas  string    // of the network's input
	placed  placed    // with preprocessing
}

var _ nn.Exporter = (*exporter)(nil)

// Names of a model's input: canvases, or with preprocessing images.
const (
	input    = "images"
	pictures = "pictures"
)

// network writes the network's operations and what the options ask for after them.
func (e *exporter) network(g detector.Graph) error {
	if e.options.Preprocess {
		e.canvas = e.preprocess()
	} else {
		n, h, w := e.options.size()
		e.canvas = input
		e.input(input, typeFloat, n, dim{n: 3}, h, w)
	}
	e.names = make([]string, len(g.Values))
	e.names[g.Images] = e.canvas
	for i, v := range g.Values {
		if v.In == nil {
			continue
		}
		if err := e.operation(g.Values, i); err != nil {
			return fmt.Errorf("%s: %w", v.Op(), err)
		}
	}
	var logits, deltas []string
	for l := range g.Logits {
		logits = append(logits, e.names[g.Logits[l]])
		deltas = append(deltas, e.names[g.Deltas[l]])
	}
	e.outputs(logits, deltas, g.Cells)
	return nil
}

var errNoForm = errors.New("the operation has no form in ONNX; give its kernel in package nn an Export")

// operation writes the operation whose result has that number.
func (e *exporter) operation(values []nn.Value, number int) error {
	v := values[number]
	k, ok := v.Kernel.(nn.Exportable)
	if !ok {
		return errNoForm
	}
	in := make([]nn.Operand, len(v.In))
	for i, n := range v.In {
		in[i] = nn.Operand{Name: e.names[n], Shape: values[n].Shape}
		if in[i].Name == "" { // no map
			in[i].Name, in[i].Param = strings.ReplaceAll(values[n].Name, " ", "_"), values[n].Tensor
		}
	}
	var err error
	e.names[number], err = k.Export(e, in)
	return err
}

// ShapeOf is the shape of a map.
func (e *exporter) ShapeOf(o nn.Operand) string {
	if e.options.Dynamic {
		return e.Op("Shape", []string{o.Name})
	}
	s := o.Shape
	return e.Ints(s[0], s[3], s[1], s[2])
}

// Read copies a parameter.
func (e *exporter) Read(o nn.Operand) ([]float32, error) {
	if o.Param == nil {
		return nil, fmt.Errorf("%s is not a parameter", o.Name)
	}
	v := make([]float32, o.Param.Shape().TotalSize())
	return v, e.engine.Download(v, o.Param)
}
