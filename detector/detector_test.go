package detector

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/box"
	"retinago/config"
	"retinago/engine/cpu"
	"retinago/loss"
	"retinago/nn"
)

// tiny is a small model of every kind of part.
func tiny() config.Model {
	c := config.Default().Model
	c.Backbone, c.FPNWidth, c.HeadDepth, c.FrozenStages = "resnet18", 32, 1, 0
	c.Classes, c.CategoryIDs = []string{"a", "b"}, []int64{1, 2}
	return c
}

func newModel(t testing.TB, c config.Model) *Model {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); e.Close() })
	return m
}

func picture(n, h, w int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, n*h*w*3)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func batch(m *Model, n, h, w int) *Batch {
	objects := make([]Objects, n)
	for i := range objects {
		objects[i] = Objects{Boxes: []box.Box{{X1: 20, Y1: 20, X2: 60, Y2: 70}}, Classes: []int32{1}, Crowd: []bool{false}}
	}
	objects[n-1] = Objects{} // an image without boxes
	t := m.Assign(config.Default().Match.Assigner(9), h, w, objects)
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = .1
	}
	return &Batch{N: n, H: h, W: w, Images: picture(n, h, w), Targets: t, ClassNorm: ones, BoxNorm: ones}
}

var focal = LossFunc{Class: loss.Focal{Alpha: .25, Gamma: 2}, Box: loss.SmoothL1{Beta: .1}}

// The directional derivative of the loss along the gradient is the gradient's squared norm, for every kind of norm.
func TestGradientOfTheWhole(t *testing.T) {
	for name, change := range map[string]func(c *config.Model){
		"frozen": func(c *config.Model) { c.Norm = "frozen" },
		"group":  func(c *config.Model) { c.Norm, c.HeadNorm, c.P6From = "group", "group", "p5" },
		"mobilenet_v1": func(c *config.Model) {
			c.Backbone, c.BackboneWidth, c.LeakySlope, c.Norm, c.Pyramid = "mobilenet_v1", 16, .1, "group", "pafpn"
		},
		"mobilenet_v2 with P2": func(c *config.Model) {
			c.Backbone, c.BackboneWidth, c.Norm, c.P2, c.Pyramid, c.P6From = "mobilenet_v2", 16, "group", true, "pafpn", "p5"
			c.Anchors.Strides, c.Anchors.Sizes = []int{4, 8, 16, 32, 64, 128}, []float64{16, 32, 64, 128, 256, 512}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := tiny()
			change(&c)
			alongGradient(t, newModel(t, c), focal)
		})
	}
}

// The same for every kind of loss.
func TestGradientOfEveryLoss(t *testing.T) {
	box := loss.SmoothL1{Beta: .1}
	for name, f := range map[string]LossFunc{
		"cross entropy": {Class: loss.CrossEntropy{Alpha: -1}, Box: loss.L1{}},
		"focal star":    {Class: loss.FocalStar{Alpha: -1, Gamma: 2, Beta: 1}, Box: box},
		"softmax":       {Class: loss.Softmax{}, Box: box},
		"OHEM":          {Class: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 64}, Box: box, MineNMS: .7},
		"OHEM 1:3":      {Class: loss.OHEM{Class: loss.CrossEntropy{Alpha: -1}, Keep: 64, Ratio: 3}, Box: box},
		"varifocal":     {Quality: loss.Varifocal{Alpha: .75, Gamma: 2}, Box: loss.CIoU{}},
		"IoU":           {Class: focal.Class, Box: loss.IoU{}},
		"GIoU":          {Class: focal.Class, Box: loss.GIoU{}},
		"DIoU":          {Class: focal.Class, Box: loss.DIoU{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := tiny()
			_, c.Background = f.Class.(loss.Softmax)
			// The class's own qualities are constants to its gradient: only the class head moves then.
			only := ""
			if f.Quality != nil {
				only = "classification_head"
			}
			alongGradient(t, newModel(t, c), f, only)
		})
	}
}

// alongGradient moves the parameters whose names contain one of only, all without, along their gradient.
func alongGradient(t *testing.T, m *Model, f LossFunc, only ...string) {
	t.Helper()
	b := batch(m, 2, 128, 128)
	s, err := m.TrainStep(2, 128, 128, TrainSpec{LossFunc: f})
	if err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		l, err := s.Run(b)
		if err != nil {
			t.Fatal(err)
		}
		return l.Total()
	}
	loss()
	grads := map[string][]float32{}
	var norm2 float64
	s.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		if len(only) > 0 && !strings.Contains(p.Name, only[0]) {
			return nil
		}
		v := make([]float32, p.Size())
		m.engine.Download(v, g)
		grads[p.Name] = v
		for _, x := range v {
			norm2 += float64(x) * float64(x)
		}
		return nil
	})
	move := func(eps float64) {
		for _, p := range m.Params() {
			g, ok := grads[p.Name]
			if !ok {
				continue
			}
			v := make([]float32, p.Size())
			m.engine.Download(v, p.Value)
			for i := range v {
				v[i] += float32(eps * float64(g[i]))
			}
			m.engine.Upload(p.Value, v)
		}
		m.Changed()
	}
	h := 1e-3 / math.Sqrt(norm2)
	move(h)
	up := loss()
	move(-2 * h)
	down := loss()
	if got := (up - down) / (2 * h); math.Abs(got-norm2) > .02*norm2 {
		t.Errorf("derivative along the gradient is %g, its squared norm %g", got, norm2)
	}
}

// Inference, with norms folded, equals the training graph's network: the same losses from its raw outputs would need
// them, so the check is by an independent route: folding changes nothing for frozen norms with odd statistics.
func TestFoldingChangesNothing(t *testing.T) {
	c := tiny()
	m := newModel(t, c)
	r := rand.New(rand.NewPCG(9, 9))
	for _, p := range m.Params() {
		if p.Kind != nn.Buffer && p.Kind != nn.NormWeight && p.Kind != nn.NormBias {
			continue
		}
		v := make([]float32, p.Size())
		for i := range v {
			v[i] = .5 + r.Float32()
		}
		m.engine.Upload(p.Value, v)
	}
	m.Changed()
	net, err := m.Net(1, 128, 128)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(picture(1, 128, 128))
	if err != nil {
		t.Fatal(err)
	}
	first := append([]float32(nil), raw.Logits[0]...)
	// One more change must be seen by the folded copies.
	p := m.Param("backbone.body.bn1.weight")
	v := make([]float32, p.Size())
	m.engine.Download(v, p.Value)
	for i := range v {
		v[i] *= 2
	}
	m.engine.Upload(p.Value, v)
	m.Changed()
	if net, err = m.Net(1, 128, 128); err != nil {
		t.Fatal(err)
	}
	if raw, err = net.Run(picture(1, 128, 128)); err != nil {
		t.Fatal(err)
	}
	same := true
	for i, x := range raw.Logits[0] {
		same = same && x == first[i]
	}
	if same {
		t.Error("a changed norm does not change the inference graph")
	}
}

func TestSaveAndOpen(t *testing.T) {
	m := newModel(t, tiny())
	path := filepath.Join(t.TempDir(), "m.safetensors")
	cfg := config.Default()
	cfg.Model = tiny()
	info := Info{Config: cfg, Categories: []Category{{1, "a"}, {2, "b"}}, Step: 7, Metrics: map[string]float64{"AP": .5}, Scores: []float64{.25, 0}}
	if err := m.Save(path, info); err != nil {
		t.Fatal(err)
	}
	m2, info2, err := Open(path, m.engine)
	if err != nil {
		t.Fatal(err)
	}
	defer m2.Close()
	if info2.Step != 7 || info2.Metrics["AP"] != .5 || !slices.Equal(info2.Scores, info.Scores) || len(info2.Categories) != 2 || info2.Config.String() != cfg.String() {
		t.Errorf("read back %+v", info2)
	}
	x := picture(1, 128, 256)
	var out [2][]float32
	for i, k := range []*Model{m, m2} {
		net, err := k.Net(1, 128, 256)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := net.Run(x)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = append(out[i], raw.Logits[1]...)
	}
	for i := range out[0] {
		if out[0][i] != out[1][i] {
			t.Fatalf("logit %d: %g saved, %g read back", i, out[0][i], out[1][i])
		}
	}
	for _, scores := range [][]float64{{.5}, {.5, 1}, {-.1, .5}, {.5, .5, .5}} {
		wrong, other := info, filepath.Join(t.TempDir(), "wrong")
		wrong.Scores = scores
		if err := m.Save(other, wrong); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadInfo(other); err == nil || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), "score") {
			t.Errorf("scores %v of two classes: %v", scores, err)
		}
	}
	if _, _, err := Open(filepath.Join(t.TempDir(), "absent"), m.engine); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	junk := filepath.Join(t.TempDir(), "junk")
	os.WriteFile(junk, []byte("no weights"), 0o644)
	if _, _, err := Open(junk, m.engine); err == nil || !strings.Contains(err.Error(), "junk") {
		t.Errorf("junk: %v", err)
	}
}

// A model with the prior pi scores every anchor pi at the start, so that the focal loss starts small and finite; a softmax
// shares it among the classes.
func TestPrior(t *testing.T) {
	testPrior(t, tiny(), .01)
	c := tiny()
	c.Background = true
	testPrior(t, c, .005)
}

func testPrior(t *testing.T, c config.Model, want float64) {
	t.Helper()
	m := newModel(t, c)
	net, err := m.Net(1, 128, 128)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(make([]float32, 128*128*3))
	if err != nil {
		t.Fatal(err)
	}
	var mean float64
	for _, x := range raw.Logits[0] {
		mean += 1 / (1 + math.Exp(-float64(x))) / float64(len(raw.Logits[0]))
	}
	if math.Abs(mean-want) > .2*want {
		t.Errorf("mean probability %g at the start, wants %g", mean, want)
	}
}

// Rows of a softmax become the logits of p and 1-p, also where a class or the background has everything.
func TestOneAgainstRest(t *testing.T) {
	in := []float32{1, 2, -1, 0, 90, 0, -1e4, 1e4, 0, 1e4, -1e4, -1e4}
	got := make([]float32, 8)
	oneAgainstRest(got, in, 2)
	e := math.Exp
	want := []float64{math.Log(e(1) / (e(2) + e(-1))), math.Log(e(2) / (e(1) + e(-1))), -90, 90 - math.Log(2), -2e4, 1e4, 2e4 - math.Log(2), -2e4}
	for i, g := range got {
		if math.Abs(float64(g)-want[i]) > 1e-6*math.Max(1, math.Abs(want[i])) {
			t.Errorf("logit %d is %g, want %g", i, g, want[i])
		}
	}
}

func TestAssignLayout(t *testing.T) {
	m := newModel(t, tiny())
	grid, starts := m.Anchors(128, 128)
	target := grid[starts[1]+5] // an anchor of P4
	tg := m.Assign(anchors.Matcher{Foreground: .5, Background: .4}, 128, 128, []Objects{{}, {Boxes: []box.Box{target}, Classes: []int32{1}, Crowd: []bool{false}}})
	n := starts[2] - starts[1]
	at := tg.Level[1] + n + 5 // level 1, second image
	if tg.Labels[at] != 1 {
		t.Errorf("label of the anchor itself is %d", tg.Labels[at])
	}
	if d := tg.Deltas[4*at : 4*at+4]; d[0] != 0 || d[1] != 0 || d[2] != 0 || d[3] != 0 {
		t.Errorf("deltas of the anchor itself are %v", d)
	}
	if tg.Positives[0] != 0 || tg.Positives[1] == 0 {
		t.Errorf("positives %v", tg.Positives)
	}
}

func TestDecode(t *testing.T) {
	m := newModel(t, tiny())
	grid, starts := m.Anchors(128, 128)
	raw := &Raw{N: 1, Classes: 2}
	for l := range m.Levels() {
		raw.Logits = append(raw.Logits, make([]float32, 2*(starts[l+1]-starts[l])))
		raw.Deltas = append(raw.Deltas, make([]float32, 4*(starts[l+1]-starts[l])))
		for i := range raw.Logits[l] {
			raw.Logits[l][i] = -10
		}
	}
	k := 9*(3*16+4) + 1 // an anchor of P3 inside the image
	raw.Logits[0][2*k+1] = 2
	raw.Logits[0][2*(k+9)+1] = 1 // its neighbour, mostly the same box: suppressed
	raw.Logits[0][2*(k+9)] = 0   // the other class stays
	got := m.Decode(raw, 0, 128, 128, 128, 128, Decoding{Score: .05, TopK: 10, NMS: .5, MaxDets: 10})
	if len(got) != 2 || got[0].Class != 1 || got[1].Class != 0 {
		t.Fatalf("decoded %+v", got)
	}
	if want := grid[k].Clip(128, 128); got[0].Box != want || math.Abs(float64(got[0].Score)-.880797) > 1e-6 {
		t.Errorf("decoded %+v, wants box %v", got[0], want)
	}
	// A class that is not wanted neither takes a place among the candidates nor suppresses; scores are .881, .731 and .5.
	for _, k := range []struct {
		scores []float32
		method string
		want   []int32
	}{
		{[]float32{.05, 2}, "agnostic", []int32{0}},
		{[]float32{.6, .05}, "", []int32{1}},
		{[]float32{.05, .9}, "", []int32{0}},
		{[]float32{.05, .05}, "agnostic", []int32{1}},
		{[]float32{2, .8}, "soft-linear", []int32{1}},
		{[]float32{2, 2}, "", nil},
	} {
		var classes []int32
		for _, f := range m.Decode(raw, 0, 128, 128, 128, 128, Decoding{Scores: k.scores, Method: k.method, TopK: 1, NMS: .5, MaxDets: 10}) {
			classes = append(classes, f.Class)
		}
		if !slices.Equal(classes, k.want) {
			t.Errorf("%v %s: classes %v, want %v", k.scores, k.method, classes, k.want)
		}
	}
	if n := len(m.Decode(raw, 0, 128, 128, 128, 128, Decoding{Scores: []float32{.05, .05}, TopK: 10, NMS: .5, MaxDets: 1})); n != 1 {
		t.Errorf("%d detections, at most 1 is wanted", n)
	}
}

// A batch of nothing is an error and no panic, whatever graph is asked for.
func TestBatchOfNothing(t *testing.T) {
	m := newModel(t, tiny())
	for _, k := range []shape{{0, 128, 128}, {1, 0, 128}, {1, 128, -1}} {
		_, net := m.Net(k.n, k.h, k.w)
		_, infer := m.InferPlan(k.n, k.h, k.w)
		_, step := m.TrainStep(k.n, k.h, k.w, TrainSpec{LossFunc: focal})
		for _, err := range []error{net, infer, step} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d canvases of %dx%d", k.n, k.h, k.w)) {
				t.Errorf("%+v: %v", k, err)
			}
		}
	}
}
