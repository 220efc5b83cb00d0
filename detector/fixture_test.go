package detector

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/internal/model/weights"
)

// fixture is what torchvision computed with seeded weights: every stage of the network, losses, gradients, detections.
type fixture struct {
	dir  string
	Meta struct {
		Arch    string             `json:"arch"`
		V2      bool               `json:"v2"`
		Classes int                `json:"classes"`
		Sizes   [][2]int           `json:"image_sizes_resized"` // height, width
		Losses  map[string]float64 `json:"losses_evalbn"`
		Train   map[string]float64 `json:"losses_bntrain"`
	}
}

// fixtures are the folders that $RETINAGO_TORCHVISION names, which testdata/reference.py makes where torchvision is. They
// hold up to 1 GB each, so they are no part of the project.
func fixtures(t *testing.T) []fixture {
	t.Helper()
	dirs := filepath.SplitList(os.Getenv("RETINAGO_TORCHVISION"))
	if len(dirs) == 0 {
		t.Skip("$RETINAGO_TORCHVISION names no folders with torchvision's numbers")
	}
	var out []fixture
	for _, d := range dirs {
		f := fixture{dir: d}
		if _, err := os.Stat(f.file("meta", "_f64.json")); errors.Is(err, fs.ErrNotExist) {
			continue // of a trained model there are detections alone
		}
		b, err := os.ReadFile(f.file("meta", ".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &f.Meta); err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func (f fixture) name() string {
	if f.Meta.V2 {
		return f.Meta.Arch + " v2"
	}
	return f.Meta.Arch
}

// file is a file of the fixture, preferably of its computation in float64.
func (f fixture) file(name, ext string) string {
	double := filepath.Join(f.dir, name+"_f64"+ext)
	if _, err := os.Stat(double); err == nil {
		return double
	}
	return filepath.Join(f.dir, name+ext)
}

// npy reads a NumPy array of float32, float64 or int64, in C order. (NumPy format 1.0.)
func (f fixture) npy(t *testing.T, name string) ([]float64, []int) {
	t.Helper()
	b, err := os.ReadFile(f.file(name, ".npy"))
	if err != nil {
		t.Fatal(err)
	}
	n := int(binary.LittleEndian.Uint16(b[8:]))
	header, data := string(b[10:10+n]), b[10+n:]
	var shape []int
	for _, d := range strings.FieldsFunc(regexp.MustCompile(`'shape': \(([^)]*)\)`).FindStringSubmatch(header)[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		v, err := strconv.Atoi(d)
		if err != nil {
			t.Fatal(err)
		}
		shape = append(shape, v)
	}
	out := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range out {
		switch {
		case strings.Contains(header, "<f4"):
			out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		case strings.Contains(header, "<f8"):
			out[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		case strings.Contains(header, "<i8"):
			out[i] = float64(int64(binary.LittleEndian.Uint64(data[8*i:])))
		default:
			t.Fatalf("%s: %s", name, header)
		}
	}
	return out, shape
}

// nhwc turns an array N,C,H,W into N,H,W,C.
func nhwc(v []float64, s []int) []float64 {
	c, h, w := s[1], s[2], s[3]
	out := make([]float64, len(v))
	for i := range v {
		x, y, ch, b := i%w, i/w%h, i/w/h%c, i/w/h/c
		out[((b*h+y)*w+x)*c+ch] = v[i]
	}
	return out
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// model loads the fixture's weights.
func (f fixture) model(t *testing.T, norm string) *Model {
	t.Helper()
	c := config.Default().Model
	c.Backbone, c.Norm, c.FrozenStages, c.P6From = f.Meta.Arch, norm, 0, "p5"
	c.Anchors.IntegerSizes, c.Anchors.CanvasStrides = true, true
	if f.Meta.V2 {
		c.P6From, c.HeadNorm = "c5", "group"
	}
	for i := range f.Meta.Classes {
		c.Classes = append(c.Classes, fmt.Sprint("class ", i))
	}
	m := newModel(t, c)
	w, err := weights.Open(filepath.Join(f.dir, "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := m.Load(w)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Initialised)+len(r.Mismatched) > 0 {
		t.Fatalf("not in the file: %v; of another shape: %v", r.Initialised, r.Mismatched)
	}
	for _, n := range r.Skipped {
		if !strings.HasSuffix(n, "num_batches_tracked") {
			t.Errorf("%s was not taken", n)
		}
	}
	return m
}

// apart is the norm of the difference relative to the norm of want.
func apart(got, want []float32) float64 {
	var diff, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		diff, size = diff+d*d, size+float64(w)*float64(w)
	}
	return math.Sqrt(diff / size)
}

// worst is the largest difference relative to the largest magnitude.
func worst(got []float32, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var d, most float64
	for i, w := range want {
		d, most = max(d, math.Abs(float64(got[i])-w)), max(most, math.Abs(w))
	}
	return d / most
}

// tensors reads a safetensors file of the fixture, nil where there is none.
func (f fixture) tensors(t *testing.T, name string) map[string][]float32 {
	t.Helper()
	w, err := weights.Open(filepath.Join(f.dir, name+".safetensors"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	out := map[string][]float32{}
	for _, n := range w.Names() {
		v, err := w.Tensor(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = v.Data
	}
	return out
}
