package detector

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/config"
	"retinago/engine/cpu"
	"retinago/internal/model/quant"
	"retinago/internal/model/weights"
	"retinago/nn"
)

// lively is a model whose heads' towers carry more signal than fresh ones do.
func lively(t testing.TB, c config.Model) *Model {
	t.Helper()
	m := newModel(t, c)
	for _, p := range m.Params() {
		if !strings.HasPrefix(p.Name, "head.") {
			continue
		}
		v := make([]float32, p.Size())
		if p.Kind == nn.Weight {
			if err := m.engine.Download(v, p.Value); err != nil {
				t.Fatal(err)
			}
			for i := range v {
				v[i] *= float32(100 * math.Sqrt(2/float64(9*p.Shape[1])))
			}
		} else if p.Kind != nn.Bias { // which is 0: the prior's would round off a small signal
			continue
		}
		if err := m.engine.Upload(p.Value, v); err != nil {
			t.Fatal(err)
		}
	}
	m.Changed()
	return m
}

func scheme(t testing.TB, m *Model, o quant.Options) *quant.Scheme {
	t.Helper()
	c, err := m.Calibrator(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range [][2]int{{256, 320}, {192, 128}} {
		if err := c.Add(picture(1, s[0], s[1]), s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// raw copies the heads' outputs for images that calibration has not seen.
func raw(t testing.TB, m *Model) [][]float32 {
	t.Helper()
	const n, h, w = 2, 256, 384
	net, err := m.Net(n, h, w)
	if err != nil {
		t.Fatal(err)
	}
	r, err := net.Run(picture(n, h, w))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, v := range slices.Concat(r.Logits, r.Deltas) {
		out = append(out, slices.Clone(v))
	}
	return out
}

// small is tiny with a narrow backbone.
func small() config.Model {
	c := tiny()
	c.BackboneWidth = 16
	return c
}

// noise is the distance of a from b over the deviation of b from its mean.
func noise(a, b []float32) float64 {
	mean := 0.
	for _, v := range b {
		mean += float64(v) / float64(len(b))
	}
	var d, n float64
	for i := range a {
		d += math.Pow(float64(a[i]-b[i]), 2)
		n += math.Pow(float64(b[i])-mean, 2)
	}
	return math.Sqrt(d / n)
}

// Every kind of network computes in 8 bits what it computes in float, nearly, and is the same after a file.
func TestInt8(t *testing.T) {
	for name, change := range map[string]func(c *config.Model){
		"resnet50": func(c *config.Model) { c.Backbone = "resnet50" },
		"group":    func(c *config.Model) { c.HeadNorm, c.P6From, c.HeadDepth = "group", "p5", 2 },
		"mobilenet_v1": func(c *config.Model) {
			c.Backbone, c.LeakySlope, c.Pyramid = "mobilenet_v1", .1, "pafpn"
		},
		"regnet_y_400mf": func(c *config.Model) { c.Backbone, c.BackboneWidth = "regnet_y_400mf", 0 },
		"mobilenet_v2 with P2": func(c *config.Model) {
			c.Backbone, c.P2, c.P6From = "mobilenet_v2", true, "p5"
			c.Anchors.Strides, c.Anchors.Sizes = []int{4, 8, 16, 32, 64, 128}, []float64{16, 32, 64, 128, 256, 512}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			c.Model = small()
			change(&c.Model)
			m := lively(t, c.Model)
			float := raw(t, m)
			s := scheme(t, m, quant.Options{Method: quant.Method{Kind: "minmax"}, Float: []string{quant.First, quant.Last}})
			if err := m.Quantize(s); err != nil {
				t.Fatal(err)
			}
			got := raw(t, m)
			worst := 0.
			for i := range got {
				if c.Model.HeadNorm == "group" && i%m.Levels() == m.Levels()-1 {
					continue // a norm over P7's two cells makes noise of anything
				}
				d := noise(got[i], float[i])
				if !(d < .2) {
					t.Errorf("output %d: noise is %.3f of the signal", i, d)
				}
				worst = max(worst, d)
			}
			t.Logf("noise is at most %.3f of the signal", worst)

			path := filepath.Join(t.TempDir(), "int8.safetensors")
			info := Info{Config: c, Categories: []Category{{1, "a"}, {2, "b"}}}
			if err := m.Save(path, info); err != nil {
				t.Fatal(err)
			}
			again, _, err := Open(path, m.Engine())
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			for i, v := range raw(t, again) {
				if !slices.Equal(v, got[i]) {
					t.Errorf("output %d is another after a file", i)
				}
			}
			if a := again.Int8(); a.Method != "minmax" || a.Images != 2 || len(a.Weights) != len(s.Weights) {
				t.Errorf("the scheme comes back as %s on %d pictures, %d convolutions of %d", a.Method, a.Images, len(a.Weights), len(s.Weights))
			}
			second := filepath.Join(t.TempDir(), "again.safetensors")
			if err := again.Save(second, info); err != nil {
				t.Fatal(err)
			}
			a, _ := os.ReadFile(path)
			b, _ := os.ReadFile(second)
			if !bytes.Equal(a, b) {
				t.Error("a file that is read and written is another")
			}
		})
	}
}

func TestInt8Twice(t *testing.T) {
	m := lively(t, small())
	s := scheme(t, m, quant.Options{Method: quant.Method{Kind: "entropy"}})
	if err := m.Quantize(s); err != nil {
		t.Fatal(err)
	}
	if err := m.Quantize(s); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("quantized twice: %v", err)
	}
	if _, err := m.Calibrator(quant.Options{Method: quant.Method{Kind: "minmax"}}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("calibrated in 8 bits: %v", err)
	}
	other := lively(t, small())
	s.Weights["backbone.body.conv9"] = []float32{1}
	if err := other.Quantize(s); err == nil || !strings.Contains(err.Error(), "conv9") {
		t.Errorf("another network's scheme: %v", err)
	}
}

// Files that are not what they say are errors with the file's name.
func TestInt8Damaged(t *testing.T) {
	m := lively(t, small())
	if err := m.Quantize(scheme(t, m, quant.Options{Method: quant.Method{Kind: "minmax"}})); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Model = small()
	path := filepath.Join(t.TempDir(), "int8.safetensors")
	if err := m.Save(path, Info{Config: c, Categories: []Category{{1, "a"}, {2, "b"}}}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Under other names, the checksums are none: what follows is about files without.
	for _, key := range []string{"retinago.header", "retinago.sums"} {
		whole = bytes.ReplaceAll(whole, []byte(key), []byte(strings.Replace(key, "retinago", "anothers", 1)))
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	dtype, _, _ := f.Info("backbone.body.layer1.0.conv1.weight")
	f.Close()
	if dtype != "I8" {
		t.Errorf("weights are stored as %s", dtype)
	}
	for _, d := range []struct{ from, to, want string }{
		{`\"most\":`, `\"least\":`, "range"},                                                                                 // a range whose least is above its most
		{"retinago.int8", "retinago.int7", "I8"},                                                                             // bytes without a scheme
		{"layer1.0.conv1.weight_scale", "layer1.0.conv1.weight_scalf", "weight_scale"},                                       // a scale that is missing
		{`"backbone.body.layer1.0.conv1.weight":{"dtype":"I8"`, `"backbone.body.layer1.0.conv1.weight":{"dtype":"U8"`, "U8"}, // another type
	} {
		damaged := bytes.ReplaceAll(whole, []byte(d.from), []byte(d.to))
		if len(damaged) != len(whole) { // the header's length stands before it
			n := len(damaged) - len(whole)
			damaged[0], damaged[1] = byte(int(whole[0])+n), byte(int(whole[1])+(int(whole[0])+n)>>8)
		}
		if bytes.Equal(damaged, whole) {
			t.Fatalf("%s is not in the file", d.from)
		}
		bad := filepath.Join(t.TempDir(), "bad.safetensors")
		if err := os.WriteFile(bad, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(bad, m.Engine()); err == nil || !strings.Contains(err.Error(), d.want) || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s for %s: %v", d.to, d.from, err)
		}
	}
}

// processorTime is what the process has used.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkInt8 compares networks of one canvas on one thread, in processor time as well: that of a shared machine's clock
// says less.
func BenchmarkInt8(b *testing.B) {
	c := config.Default().Model
	c.Backbone, c.Classes = "resnet50", make([]string, 80)
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	m, err := New(c, e, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	const h, w = 800, 1344
	images := picture(1, h, w)
	run := func(b *testing.B) {
		net, err := m.Net(1, h, w)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(net.Bytes()>>20), "MB")
		if _, err := net.Run(images); err != nil { // packs weights
			b.Fatal(err)
		}
		least := time.Duration(math.MaxInt64)
		for b.Loop() {
			before := processorTime(b)
			if _, err := net.Run(images); err != nil {
				b.Fatal(err)
			}
			least = min(least, processorTime(b)-before)
		}
		b.ReportMetric(1e3*least.Seconds(), "least-cpu-ms")
	}
	b.Run("float", run)
	cal, err := m.Calibrator(quant.Options{Method: quant.Method{Kind: "minmax"}, Float: []string{quant.First, quant.Last}})
	if err != nil {
		b.Fatal(err)
	}
	if err := cal.Add(picture(1, 256, 256), 256, 256); err != nil {
		b.Fatal(err)
	}
	s, err := cal.Scheme()
	if err == nil {
		err = cal.Close()
	}
	if err == nil {
		err = m.Quantize(s)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Run("int8", run)
}
