package interop

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/weights"
)

func newEngine(t *testing.T) *cpu.Engine {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// foreign makes the tensors of a small RetinaNet as torchvision has them, with so many logits per anchor, and the
// model that they are of.
func foreign(t *testing.T, e *cpu.Engine, logits int, change func(*config.Model)) (*detector.Model, []weights.Tensor) {
	t.Helper()
	c := config.Default().Model
	c.Backbone, c.BackboneWidth, c.FPNWidth, c.HeadDepth, c.P6From = "resnet18", 16, 32, 2, "p5"
	c.Anchors.IntegerSizes, c.Anchors.CanvasStrides = true, true
	for i := range logits {
		c.Classes = append(c.Classes, fmt.Sprint(i))
	}
	if change != nil {
		change(&c)
	}
	m, err := detector.New(c, e, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	var out []weights.Tensor
	for k, p := range m.Params() {
		v := make([]float32, p.Size())
		if err := e.Download(v, p.Value); err != nil {
			t.Fatal(err)
		}
		for i := range v {
			v[i] += .01 * float32((i*31+k*17)%13) // nothing is alike, variances stay positive
		}
		if err := e.Upload(p.Value, v); err != nil {
			t.Fatal(err)
		}
		out = append(out, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: v})
	}
	m.Changed()
	return m, out
}

// ancient gives tensors the names that torchvision had until 0.13.
func ancient(ts []weights.Tensor) []weights.Tensor {
	out := slices.Clone(ts)
	for i, t := range out {
		n := t.Name
		if strings.Contains(n, "fpn.inner_blocks") || strings.Contains(n, "fpn.layer_blocks") {
			n = strings.Replace(n, ".0.weight", ".weight", 1)
			n = strings.Replace(n, ".0.bias", ".bias", 1)
		}
		for k := 3; k >= 0; k-- {
			n = strings.Replace(n, fmt.Sprintf("_head.conv.%d.0.", k), fmt.Sprintf("_head.conv.%d.", 2*k), 1)
		}
		out[i].Name = n
	}
	return out
}

func importFrom(t *testing.T, ts []weights.Tensor, o Options) (*Model, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign.safetensors")
	if err := weights.Write(path, nil, ts); err != nil {
		t.Fatal(err)
	}
	s, err := weights.OpenAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return Import(s, o)
}

// outputs runs a model on one image.
func outputs(t *testing.T, m *detector.Model) *detector.Raw {
	t.Helper()
	const h, w = 64, 96
	net, err := m.Net(1, h, w)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, h*w*3)
	for i := range x {
		x[i] = float32(math.Sin(float64(i) * .37))
	}
	raw, err := net.Run(x)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The first published RetinaNet: old names, 91 logits, no eps. The 80 classes give the same logits as in the original.
func TestCOCOModel(t *testing.T) {
	e := newEngine(t)
	original, ts := foreign(t, e, 91, nil)
	want := outputs(t, original)
	// The file's norms mean no eps: where ours adds it, the original's variances are larger by it.
	there := slices.Clone(ts)
	for i, v := range there {
		if strings.HasSuffix(v.Name, "running_var") {
			data := slices.Clone(v.Data)
			for k := range data {
				data[k] += ourEps
			}
			there[i].Data = data
		}
	}
	m, err := importFrom(t, ancient(there), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Config.Model; c.Backbone != "resnet18" || c.BackboneWidth != 16 || c.FPNWidth != 32 || c.HeadDepth != 2 || c.HeadNorm != "" || c.P6From != "p5" || !c.Anchors.IntegerSizes || !c.Anchors.CanvasStrides {
		t.Errorf("recognised as %+v", c)
	}
	if len(m.Categories) != 80 || m.Categories[11].Name != "stop sign" || m.Categories[11].ID != 13 {
		t.Errorf("categories %v", m.Categories)
	}
	path := filepath.Join(t.TempDir(), "ours.safetensors")
	if err := m.Save(path, e); err != nil {
		t.Fatal(err)
	}
	ours, info, err := detector.Open(path, e)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	got := outputs(t, ours)
	for l := range got.Logits {
		for a := range len(want.Logits[l]) / 91 {
			for k, c := range info.Categories {
				g, w := got.Logits[l][80*a+k], want.Logits[l][91*a+int(c.ID)]
				if math.Abs(float64(g-w)) > 2e-4*math.Max(1, math.Abs(float64(w))) {
					t.Fatalf("level %d, anchor %d, %s: logit %g, want %g", l, a, c.Name, g, w)
				}
			}
		}
		for i, w := range want.Deltas[l] {
			if g := got.Deltas[l][i]; math.Abs(float64(g-w)) > 2e-4*math.Max(1, math.Abs(float64(w))) {
				t.Fatalf("level %d, delta %d: %g, want %g", l, i, g, w)
			}
		}
	}
}

// Group norm in the heads and P6 from C5, as in the second published RetinaNet; own classes.
func TestSecondModel(t *testing.T) {
	e := newEngine(t)
	_, ts := foreign(t, e, 3, func(c *config.Model) { c.HeadNorm, c.P6From, c.Norm = "group", "c5", "batch" })
	m, err := importFrom(t, ts, Options{Classes: []string{"cat", "dog"}})
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Config.Model; c.HeadNorm != "group" || c.P6From != "c5" || !slices.Equal(c.Classes, []string{"cat", "dog"}) || !slices.Equal(c.CategoryIDs, []int64{1, 2}) {
		t.Errorf("recognised as %+v", c)
	}
	if m.Config.Loss.Box != "giou" {
		t.Errorf("box loss %s, it was trained with giou", m.Config.Loss.Box)
	}
	if err := m.Save(filepath.Join(t.TempDir(), "m.safetensors"), e); err != nil {
		t.Error(err)
	}
	if m, err = importFrom(t, ts, Options{}); err != nil || len(m.Categories) != 3 || m.Categories[2].Name != "class 2" {
		t.Errorf("without names: %v, %v", m, err)
	}
	if _, err = importFrom(t, ts, Options{Classes: []string{"a", "b", "c", "d"}}); err == nil || !strings.Contains(err.Error(), "4 names") {
		t.Errorf("too many names: %v", err)
	}
}

func TestImportErrors(t *testing.T) {
	e := newEngine(t)
	_, ts := foreign(t, e, 2, nil)
	without := func(name string) []weights.Tensor {
		return slices.DeleteFunc(slices.Clone(ts), func(v weights.Tensor) bool { return v.Name == name })
	}
	for name, k := range map[string]struct {
		ts   []weights.Tensor
		want string
	}{
		"classifier":  {[]weights.Tensor{{Name: "conv1.weight", Shape: []int{1}, Data: []float32{1}}}, "train.init_weights"},
		"no pyramid":  {without("backbone.fpn.inner_blocks.0.0.weight"), "inner_blocks"},
		"no block":    {without("backbone.body.layer3.0.conv1.weight"), "blocks"},
		"flat logits": {append(without("head.classification_head.cls_logits.weight"), weights.Tensor{Name: "head.classification_head.cls_logits.weight", Shape: []int{18}, Data: make([]float32, 18)}), "shape"},
	} {
		if _, err := importFrom(t, k.ts, Options{}); err == nil || !strings.Contains(err.Error(), k.want) || !strings.Contains(err.Error(), "foreign.safetensors") {
			t.Errorf("%s: %v; want %q and the file", name, err, k.want)
		}
	}
	m, err := importFrom(t, without("backbone.body.layer1.0.bn1.bias"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(filepath.Join(t.TempDir(), "m.safetensors"), e); err == nil || !strings.Contains(err.Error(), "layer1.0.bn1.bias") {
		t.Errorf("an incomplete file: %v", err)
	}
}

// What is exported and imported again is the same model.
func TestExport(t *testing.T) {
	e := newEngine(t)
	_, ts := foreign(t, e, 2, nil)
	m, err := importFrom(t, ts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ours, out := filepath.Join(dir, "ours.safetensors"), filepath.Join(dir, "out.safetensors")
	if err := m.Save(ours, e); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(ours, out); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	norms := 0
	for _, want := range ts {
		if name, ok := strings.CutSuffix(want.Name, ".running_var"); ok {
			norms++
			if c, err := f.Tensor(name + ".num_batches_tracked"); err != nil || len(c.Shape) != 0 || len(c.Data) != 1 {
				t.Errorf("%s counts no batches: %v", name, err)
			}
		}
	}
	if len(f.Names()) != len(ts)+norms || len(f.Metadata) != 0 {
		t.Errorf("%d tensors, want %d, and metadata %v", len(f.Names()), len(ts)+norms, f.Metadata)
	}
	for _, want := range ts {
		if got, err := f.Tensor(want.Name); err != nil || !slices.Equal(got.Data, want.Data) {
			t.Errorf("%s differs (%v)", want.Name, err)
		}
	}
	if _, err := Export(out, ours); err == nil {
		t.Error("a file without configuration was exported")
	}
	for key, change := range map[string]func(*config.Model){
		"model.background": func(c *config.Model) { c.Background = true }, "model.pyramid": func(c *config.Model) { c.Pyramid = "pafpn" },
		"model.p7_relu": func(c *config.Model) { c.P7ReLU = false }, "model.stride_in_1x1": func(c *config.Model) { c.StrideIn1x1 = true },
		"MobileNetV1": func(c *config.Model) { c.Backbone = "mobilenet_v1" },
	} {
		c := config.Default().Model
		if err := torchvisionHas(c); err != nil {
			t.Errorf("the default: %v", err)
		}
		change(&c)
		if err := torchvisionHas(c); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestCOCO(t *testing.T) {
	c := COCO()
	if len(c) != 80 || c[0].Name != "person" || c[79].ID != 90 || c[79].Name != "toothbrush" || c[40].Name != "wine glass" || c[40].ID != 46 {
		t.Errorf("%d categories: %v", len(c), c)
	}
}

// A .pth that torchvision saved is the same model as its safetensors.
func TestTorchvisionFile(t *testing.T) {
	dirs := filepath.SplitList(os.Getenv("RETINAGO_TORCHVISION"))
	if len(dirs) == 0 {
		t.Skip("$RETINAGO_TORCHVISION names no folders with torchvision's numbers")
	}
	for _, d := range dirs {
		s, err := weights.OpenAny(filepath.Join(d, "weights.pth"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		m, err := Import(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := weights.Open(filepath.Join(d, "weights.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, got := range m.Tensors {
			want, err := f.Tensor(got.Name)
			if err != nil || !slices.Equal(got.Data, want.Data) {
				t.Errorf("%s: %s differs (%v)", d, got.Name, err)
			}
		}
	}
}
