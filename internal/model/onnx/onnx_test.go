package onnx

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/anchors"
	"retinago/backbone"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cpu"
	"retinago/nn"
)

// models are small detectors of every kind of part, and of every activation in the heads.
var models = func() map[string]func(c *config.Model) {
	all := maps.Clone(parts)
	for _, a := range engine.Activations {
		all[a.Name+" in heads"] = func(c *config.Model) { c.HeadActivation = a.Name }
	}
	return all
}()

var parts = map[string]func(c *config.Model){
	"plain": func(c *config.Model) {},
	"group norm": func(c *config.Model) {
		c.Norm, c.HeadNorm, c.P6From, c.BackboneWidth = "group", "group", "p5", 32
	},
	"mobile with P2 and a second path": func(c *config.Model) {
		c.Backbone, c.P2, c.Pyramid, c.P7ReLU = "mobilenet_v2", true, "pafpn", false
		c.Anchors.Strides, c.Anchors.Sizes = []int{4, 8, 16, 32, 64, 128}, []float64{8, 16, 32, 64, 128, 256}
	},
	"softmax with background": func(c *config.Model) { c.Background = true },
	"leaky, torchvision's anchors": func(c *config.Model) {
		c.Backbone, c.LeakySlope, c.Anchors.IntegerSizes, c.Anchors.CanvasStrides = "mobilenet_v1", .1, true, true
	},
}

// everyModel are models, and one of each family of backbones.
func everyModel() map[string]func(c *config.Model) {
	all := maps.Clone(models)
	for _, k := range backbone.Smallest() {
		all[k.Name] = func(c *config.Model) {
			c.Backbone = k.Name
			if k.FixedWidth {
				c.BackboneWidth = 0
			}
		}
	}
	return all
}

// Every family of backbones has an export.
func TestBackbones(t *testing.T) {
	for _, k := range backbone.Smallest() {
		m, info := newModel(t, everyModel()[k.Name])
		b, _, err := marshal(m, info, Options{H: 128, W: 192})
		if err != nil || len(b) < 1000 {
			t.Errorf("%s: %d bytes, %v", k.Name, len(b), err)
		}
	}
}

// newModel is a detector whose every parameter counts, with scores all over the range.
func newModel(t *testing.T, change func(*config.Model)) (*detector.Model, detector.Info) {
	t.Helper()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Prior = "resnet18", 16, 32, 2, .1
	c.Model.Classes, c.Model.CategoryIDs = []string{"cat", "dog", "owl"}, []int64{1, 2, 7}
	c.Infer.TopK, c.Infer.MaxDetections = 300, 50
	change(&c.Model)
	if c.Model.Background {
		c.Loss.Kind = "softmax"
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	r := rand.New(rand.NewPCG(5, 6))
	for _, p := range m.Params() {
		v := make([]float32, p.Size())
		if err := e.Download(v, p.Value); err != nil {
			t.Fatal(err)
		}
		for i := range v {
			switch {
			case p.Kind == nn.NormWeight || strings.HasSuffix(p.Name, "running_var"):
				v[i] = .5 + r.Float32()
			default:
				v[i] += .05 * float32(r.NormFloat64())
			}
		}
		if err := e.Upload(p.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	m.Changed()
	// So little that no score is 1 in float32, among which detections have no order.
	spread(t, m, "head.classification_head.cls_logits.weight", .5, func(r *detector.Raw) [][]float32 { return r.Logits })
	spread(t, m, "head.regression_head.bbox_reg.weight", .3, func(r *detector.Raw) [][]float32 { return r.Deltas })
	info := detector.Info{Config: c}
	for i, n := range c.Model.Classes {
		info.Categories = append(info.Categories, detector.Category{ID: c.Model.CategoryIDs[i], Name: n})
	}
	return m, info
}

// spread scales a last layer so that its outputs have the standard deviation that a trained model's might have.
func spread(t *testing.T, m *detector.Model, name string, std float64, of func(*detector.Raw) [][]float32) {
	t.Helper()
	net, err := m.Net(1, 128, 128)
	if err != nil {
		t.Fatal(err)
	}
	nhwc, _ := images(1, 128, 128)
	raw, err := net.Run(nhwc)
	if err != nil {
		t.Fatal(err)
	}
	var n, sum, squares float64
	for _, l := range of(raw) {
		for _, v := range l {
			n, sum, squares = n+1, sum+float64(v), squares+float64(v)*float64(v)
		}
	}
	p := m.Param(name)
	v := make([]float32, p.Size())
	if err := m.Engine().Download(v, p.Value); err != nil {
		t.Fatal(err)
	}
	for i := range v {
		v[i] *= float32(std / math.Sqrt(squares/n-sum*sum/n/n))
	}
	if err := m.Engine().Upload(p.Value, v); err != nil {
		t.Fatal(err)
	}
	m.Changed()
}

// images are images [N,H,W,3] and the same as [N,3,H,W].
func images(n, h, w int) (nhwc, nchw []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	nhwc, nchw = make([]float32, n*h*w*3), make([]float32, n*h*w*3)
	for i := range n {
		for p := range h * w {
			for c := range 3 {
				v := float32(r.NormFloat64() + math.Sin(float64(p%w)/9))
				nhwc[(i*h*w+p)*3+c], nchw[(i*3+c)*h*w+p] = v, v
			}
		}
	}
	return nhwc, nchw
}

// output is a tensor that a runtime gives.
type output struct {
	Dims []int
	Data []float64
}

// expected are the outputs by name as this project computes them.
func expected(t *testing.T, m *detector.Model, info detector.Info, kind string, n, h, w int, nhwc []float32) map[string]output {
	t.Helper()
	net, err := m.Net(n, h, w)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(nhwc)
	if err != nil {
		t.Fatal(err)
	}
	if kind == Detections {
		in := info.Config.Infer
		boxes, scores, labels := output{}, output{}, output{}
		found := m.Decode(raw, 0, h, w, float32(w), float32(h), detector.Decoding{Score: float32(in.Score), TopK: in.TopK, Method: in.Method, NMS: float32(in.NMS), MaxDets: in.MaxDetections})
		for _, d := range found {
			boxes.Data = append(boxes.Data, float64(d.Box.X1), float64(d.Box.Y1), float64(d.Box.X2), float64(d.Box.Y2))
			scores.Data, labels.Data = append(scores.Data, float64(d.Score)), append(labels.Data, float64(d.Class))
		}
		d := len(found)
		boxes.Dims, scores.Dims, labels.Dims = []int{d, 4}, []int{d}, []int{d}
		return map[string]output{"boxes": boxes, "scores": scores, "labels": labels}
	}
	grid, starts := m.Anchors(h, w)
	logits, deltas := output{Dims: []int{n, len(grid), raw.Classes}}, output{Dims: []int{n, len(grid), 4}}
	for i := range n {
		for l := range raw.Logits {
			size := starts[l+1] - starts[l]
			for _, v := range raw.Logits[l][i*size*raw.Classes : (i+1)*size*raw.Classes] {
				x := float64(v)
				if kind == Boxes {
					x = 1 / (1 + math.Exp(-x))
				}
				logits.Data = append(logits.Data, x)
			}
			for a := range size {
				d := [4]float32(raw.Deltas[l][4*(i*size+a):])
				if kind == Boxes {
					b := anchors.NewCoder().Decode(grid[starts[l]+a], d).Clip(float32(w), float32(h))
					d = [4]float32{b.X1, b.Y1, b.X2, b.Y2}
				}
				for _, v := range d {
					deltas.Data = append(deltas.Data, float64(v))
				}
			}
		}
	}
	if kind == Boxes {
		return map[string]output{"scores": logits, "boxes": deltas}
	}
	return map[string]output{"logits": logits, "deltas": deltas}
}

// compare wants equal shapes, and values within 1e-4 of the largest.
func compare(t *testing.T, name string, got, want output) {
	t.Helper()
	if fmt.Sprint(got.Dims) != fmt.Sprint(want.Dims) || len(got.Data) != len(want.Data) {
		t.Errorf("%s is %v with %d values, want %v", name, got.Dims, len(got.Data), want.Dims)
		return
	}
	largest, off := 0., 0.
	for i, v := range want.Data {
		largest = max(largest, math.Abs(v))
		if d := math.Abs(v - got.Data[i]); !(d <= off) {
			off = d
		}
	}
	if largest == 0 || !(off <= 1e-4*largest) {
		t.Errorf("%s is off by %g of %g", name, off, largest)
	}
}

// runtimeFolder is the folder whose node_modules has onnxruntime-node. Without one the test is skipped.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RETINAGO_ORT")
	if dir == "" {
		t.Skip("RETINAGO_ORT is not set: the folder whose node_modules has onnxruntime-node")
	}
	return dir
}

// inRuntime runs a model in ONNX Runtime and returns its outputs by name. raw has the elements of its input.
func inRuntime(t *testing.T, dir, model, elements string, raw []byte, dims ...int) map[string]output {
	t.Helper()
	tmp := t.TempDir()
	in, out := filepath.Join(tmp, "in.bin"), filepath.Join(tmp, "out.json")
	if err := os.WriteFile(in, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(dims), " ", ","), "[]")
	cmd := exec.Command("node", "testdata/run.js", model, in, elements, shape, out)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(dir, "node_modules"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]output
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// ONNX Runtime gives what this project gives, for every form of export.
func TestONNXRuntime(t *testing.T) {
	dir := runtimeFolder(t)
	for name, change := range everyModel() {
		t.Run(name, func(t *testing.T) {
			m, info := newModel(t, change)
			for _, c := range []struct {
				o       Options
				n, h, w int
			}{
				{Options{H: 128, W: 192, Batch: 2}, 2, 128, 192},
				{Options{H: 128, W: 192, Outputs: Boxes}, 1, 128, 192},
				{Options{H: 160, W: 128, Outputs: Detections}, 1, 160, 128},
				{Options{Dynamic: true}, 2, 96, 224},
				{Options{Dynamic: true, Outputs: Boxes}, 2, 96, 224},
				{Options{Dynamic: true, Outputs: Detections}, 1, 320, 224},
			} {
				t.Run(fmt.Sprintf("%+v", c.o), func(t *testing.T) {
					nhwc, nchw := images(c.n, c.h, c.w)
					path := filepath.Join(t.TempDir(), "m.onnx")
					if _, err := Export(m, info, path, c.o); err != nil {
						t.Fatal(err)
					}
					var raw []byte
					for _, v := range nchw {
						raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
					}
					got := inRuntime(t, dir, path, "float32", raw, c.n, 3, c.h, c.w)
					want := expected(t, m, info, c.o.Outputs, c.n, c.h, c.w, nhwc)
					if len(got) != len(want) {
						t.Errorf("%d outputs, want %d", len(got), len(want))
					}
					for name, w := range want {
						compare(t, name, got[name], w)
					}
				})
			}
		})
	}
}

// bare is an operation without a form in ONNX.
type bare struct{ nn.Kernel }

// A network with an operation that has no form is an error that names the operation, as is a parameter without values.
func TestOperationWithoutForm(t *testing.T) {
	m, info := newModel(t, models["plain"])
	err := m.InferGraph(1, 128, 128, func(g detector.Graph) error {
		at := slices.IndexFunc(g.Values, func(v nn.Value) bool { return v.Layer.Name == "backbone.body.layer2.0.conv1" })
		g.Values[at].Kernel = bare{g.Values[at].Kernel}
		e := &exporter{graph: newGraph(), engine: m.Engine(), config: info.Config, options: Options{H: 128, W: 128}}
		return e.network(g)
	})
	if want := "Conv of backbone.body.layer2.0.conv1: the operation has no form in ONNX"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %q", err, want)
	}
	err = m.InferGraph(1, 128, 128, func(g detector.Graph) error {
		at := slices.IndexFunc(g.Values, func(v nn.Value) bool { return v.Name == "backbone.body.layer2.0.conv1.weight" })
		g.Values[at].Tensor = nil
		e := &exporter{graph: newGraph(), engine: m.Engine(), config: info.Config, options: Options{H: 128, W: 128}}
		return e.network(g)
	})
	if want := "backbone.body.layer2.0.conv1.weight is not a parameter"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %q", err, want)
	}
}

func TestRefuses(t *testing.T) {
	m, info := newModel(t, models["plain"])
	soft := info
	soft.Config.Infer.Method = "soft-gaussian"
	for _, c := range []struct {
		info detector.Info
		o    Options
		want string
	}{
		{info, Options{H: 100, W: 128}, "multiples of 32"},
		{info, Options{H: 128, W: 128, Batch: -1}, "batch of -1"},
		{info, Options{H: 128, W: 128, Outputs: "masks"}, "masks"},
		{info, Options{H: 128, W: 128, Outputs: Detections, Batch: 2}, "one image"},
		{soft, Options{H: 128, W: 128, Outputs: Detections}, "soft-gaussian"},
		{info, Options{H: 128, W: 128, Preprocess: true}, "export boxes or detections"},
	} {
		if _, _, err := marshal(m, c.info, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v lacks %q", c.o, err, c.want)
		}
	}
	if _, err := Export(m, info, filepath.Join(t.TempDir(), "absent", "m.onnx"), Options{H: 128, W: 128}); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a folder that is not there: %v", err)
	}
}
