package weights

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const prefix = "backbone.body."

// specs are the parameters of a ResNet of basic blocks, and one of a head.
func specs(blocks [4]int, width int, stats bool) []Spec {
	var out []Spec
	add := func(conv string, shape ...int) {
		out = append(out, Spec{Name: prefix + conv + ".weight", Shape: shape})
		parts := []string{".weight", ".bias", ".running_mean", ".running_var"}
		if !stats {
			parts = parts[:2]
		}
		for _, p := range parts {
			out = append(out, Spec{Name: prefix + normOf(conv) + p, Shape: shape[:1]})
		}
	}
	add("conv1", width, 3, 7, 7)
	in := width
	for g, n := range blocks {
		w := width << g
		for b := range n {
			name := fmt.Sprintf("layer%d.%d.", g+1, b)
			add(name+"conv1", w, in, 3, 3)
			add(name+"conv2", w, w, 3, 3)
			if in != w {
				add(name+"downsample.0", w, in, 1, 1)
			}
			in = w
		}
	}
	return append(out, Spec{Name: "head.x", Shape: []int{1}})
}

func find(ts []Tensor, name string) *Tensor {
	for i := range ts {
		if ts[i].Name == prefix+name {
			return &ts[i]
		}
	}
	return nil
}

func constant(name string, v float32, shape ...int) Tensor {
	n, err := elements(shape)
	if err != nil {
		panic(err)
	}
	return Tensor{name, shape, slices.Repeat([]float32{v}, n)}
}

func saved(t *testing.T, ts []Tensor) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := Write(path, nil, ts); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// source is a file for specs, in torchvision's names or folded, without the tensors that drop names.
func source(t *testing.T, want []Spec, folded bool, drop ...string) *File {
	var ts []Tensor
	for i, s := range want {
		name, ok := strings.CutPrefix(s.Name, prefix)
		if !ok {
			continue
		}
		if folded && !strings.HasSuffix(name, ".weight") || slices.ContainsFunc(drop, func(d string) bool { return strings.HasPrefix(name, d) }) {
			continue
		}
		c, _ := strings.CutSuffix(name, ".weight")
		if folded && !isConv(s.Shape) {
			continue
		}
		ts = append(ts, constant(name, float32(i), s.Shape...))
		if folded {
			ts = append(ts, constant(c+".bias", -float32(i), s.Shape[0]))
		}
	}
	return saved(t, append(ts, constant("fc.weight", 1, 5, 5)))
}

func TestNormOf(t *testing.T) {
	for in, want := range map[string]string{"conv1": "bn1", "layer1.0.conv2": "layer1.0.bn2", "layer4.0.downsample.0": "layer4.0.downsample.1"} {
		if got := normOf(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestBackbonePlain(t *testing.T) {
	want := specs([4]int{2, 2, 2, 2}, 2, true)
	out, report, err := Backbone(source(t, want, false), want, prefix, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(want)-1 || len(report.Loaded) != len(want)-1 || len(report.Initialised) != 0 {
		t.Errorf("%d tensors of %d\n%v", len(out), len(want)-1, report)
	}
	for i, s := range want[:len(want)-1] {
		got := find(out, strings.TrimPrefix(s.Name, prefix))
		if got == nil || !slices.Equal(got.Shape, s.Shape) || got.Data[0] != float32(i) {
			t.Fatalf("%s: %v", s.Name, got)
		}
	}
	if !slices.Equal(report.Skipped, []string{"fc.weight"}) {
		t.Errorf("skipped %v", report.Skipped)
	}
}

func TestBackboneFolded(t *testing.T) {
	want := specs([4]int{2, 2, 2, 2}, 2, true)
	out, report, err := Backbone(source(t, want, true, "layer4.1."), want, prefix, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	bias := find(out, "layer3.1.bn2.bias").Data
	kernel := find(out, "layer3.1.conv2.weight").Data
	if bias[0] != -kernel[0] || bias[0] == 0 {
		t.Errorf("bias %v, kernel %v", bias[0], kernel[0])
	}
	for name, v := range map[string]float32{"bn1.weight": 1, "bn1.running_mean": 0, "bn1.running_var": 1 - 1e-3, "layer2.0.downsample.1.running_var": 1 - 1e-3} {
		if got := find(out, name); got == nil || len(got.Data) != len(find(out, strings.TrimSuffix(name, name[strings.LastIndex(name, "."):])+".bias").Data) || got.Data[0] != v {
			t.Errorf("%s: %v, want %v", name, got, v)
		}
	}
	last := find(out, "layer4.1.conv2.weight")
	if last == nil || !slices.Equal(last.Shape, []int{16, 16, 3, 3}) || slices.ContainsFunc(last.Data, func(v float32) bool { return v != 0 }) {
		t.Errorf("the last convolution of the missing block is not zero: %v", last)
	}
	if find(out, "layer4.1.conv1.weight") != nil || find(out, "layer4.1.bn2.weight") != nil {
		t.Error("the rest of the missing block should stay as it is")
	}
	// conv1 and conv2 of the block with four norm tensors each.
	if len(report.Initialised) != 10 || len(report.Notes) != 1 || !strings.Contains(report.Notes[0], "layer4.1") {
		t.Errorf("%v", report)
	}
	for _, w := range []string{"loaded ", "10 not in the file: backbone.body.layer4.1.conv1.weight", "1 not in the model: fc.weight", "starts as the identity"} {
		if !strings.Contains(report.String(), w) {
			t.Errorf("%q lacks %q", report.String(), w)
		}
	}
}

// Identity of the folded norm: bias + (x-0)/sqrt(1-eps+eps).
func TestFoldedNormIsIdentity(t *testing.T) {
	for _, eps := range []float32{0, 1e-5, 1e-3} {
		if v := math.Sqrt(float64((1 - eps) + eps)); math.Abs(v-1) > 1e-7 {
			t.Errorf("eps %v: scale %v", eps, v)
		}
	}
}

func TestBackboneGroupNorm(t *testing.T) {
	file := specs([4]int{2, 2, 2, 2}, 2, true)
	want := specs([4]int{2, 2, 2, 2}, 2, false)
	for _, folded := range []bool{true, false} {
		out, report, err := Backbone(source(t, file, folded), want, prefix, 1e-5)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 20 || len(report.Initialised) != 40 { // 20 convolutions of a ResNet-18, each with gamma and beta
			t.Errorf("folded %v: %d tensors, %d initialised", folded, len(out), len(report.Initialised))
		}
	}
}

func TestBackboneRefuses(t *testing.T) {
	r18 := specs([4]int{2, 2, 2, 2}, 2, true)
	r34 := specs([4]int{3, 4, 6, 3}, 2, true)
	wide := specs([4]int{2, 2, 2, 2}, 4, true)
	nan := func() *File {
		var ts []Tensor
		for _, s := range r18[:len(r18)-1] {
			ts = append(ts, constant(strings.TrimPrefix(s.Name, prefix), float32(math.NaN()), s.Shape...))
		}
		return saved(t, ts)
	}
	for name, tt := range map[string]struct {
		file   *File
		want   []Spec
		prefix string
		text   string
	}{
		"deeper file":    {source(t, r34, false), r18, prefix, "no such convolution"},
		"deeper model":   {source(t, r18, false), r34, prefix, "has 20 of the backbone's 36 convolutions"},
		"wider file":     {source(t, wide, true), r18, prefix, "another architecture"},
		"something else": {saved(t, []Tensor{constant("x", 1, 1)}), r18, prefix, "has 0 of the backbone's 20"},
		"no statistics":  {source(t, r18, false, "layer1.0.bn1.running"), r18, prefix, `"layer1.0.bn1.running_mean"`},
		"no norm":        {source(t, r18, false, "layer1.0.bn1"), r18, prefix, "neither a norm"},
		"not numbers":    {nan(), r18, prefix, "damaged"},
		"prefix":         {source(t, r18, false), r18, "body.", "no backbone under"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Backbone(tt.file, tt.want, tt.prefix, 1e-5)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v lacks %q", err, tt.text)
			}
			if err != nil && strings.Count(err.Error(), "\n") > maxErrors {
				t.Errorf("%d lines", strings.Count(err.Error(), "\n"))
			}
		})
	}
}

// The real weights: torchvision's ResNet-18, folded, without layer4.1.
func TestBackboneReal(t *testing.T) {
	f, err := Open(filepath.Join("..", "..", "..", "..", "shared", "data", "weights", "resnet18_imagenet_partial.safetensors"))
	if err != nil {
		t.Skip("needs ../shared/data (real weights); absent here")
	}
	defer f.Close()
	want := specs([4]int{2, 2, 2, 2}, 64, true)
	out, report, err := Backbone(f, want, prefix, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	// 18 convolutions with four norm tensors each, and the zero of layer4.1.conv2.
	if len(report.Loaded) != 90 || len(out) != 91 || len(report.Skipped) != 0 || len(report.Initialised) != 10 {
		t.Errorf("%d tensors, %v", len(out), report)
	}
	// Kernels of F16 and F32 have spreads of the same order.
	for _, name := range []string{"layer4.0.conv2.weight", "layer3.1.conv2.weight"} {
		var sum float64
		d := find(out, name).Data
		for _, v := range d {
			sum += float64(v) * float64(v)
		}
		if std := math.Sqrt(sum / float64(len(d))); std < .002 || std > .1 {
			t.Errorf("%s has a spread of %v", name, std)
		}
	}
}
