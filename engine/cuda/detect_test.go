//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda"
	"retinago/engine/cuda/kernels"
)

// detectCase is a way to fill logits and to choose among them, for three images.
type detectCase struct {
	name   string
	logits func(i int, v float32) float32 // of place i, where v is normal
	want   func(classes int) detector.Decoding
}

func detectCases() []detectCase {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	plain := func(_ int, v float32) float32 { return 2 * v }
	common := func(change func(d *detector.Decoding)) func(int) detector.Decoding {
		return func(int) detector.Decoding {
			d := detector.Decoding{Score: .5, TopK: 50, NMS: .5, MaxDets: 20}
			change(&d)
			return d
		}
	}
	as := func(d *detector.Decoding) {}
	return []detectCase{
		{"plain", plain, common(as)},
		{"all that there are", plain, common(func(d *detector.Decoding) { d.Score, d.TopK, d.MaxDets = 0, 1<<20, 0 })},
		{"few of many", plain, common(func(d *detector.Decoding) { d.Score, d.TopK, d.MaxDets = 0, 3, 2 })},
		{"one box of each", plain, common(func(d *detector.Decoding) { d.NMS, d.TopK, d.MaxDets = 0, 300, 300 })},
		{"boxes stay", plain, common(func(d *detector.Decoding) { d.NMS, d.TopK, d.MaxDets = 1, 300, 1000 })},
		{"over all classes", plain, common(func(d *detector.Decoding) { d.Method = "agnostic" })},
		{"nothing above", plain, common(func(d *detector.Decoding) { d.Score = 1 })},
		{"no candidate is wanted", plain, common(func(d *detector.Decoding) { d.TopK = 0 })},
		{"ties", func(_ int, v float32) float32 { return float32(math.Round(float64(v))) }, common(func(d *detector.Decoding) { d.TopK, d.MaxDets = 333, 200 })},
		{"all equal", func(int, float32) float32 { return 1.5 }, common(func(d *detector.Decoding) { d.TopK = 77 })},
		{"zeros of both signs", func(i int, _ float32) float32 { return float32(math.Copysign(0, float64(i%3-1))) }, common(func(d *detector.Decoding) { d.Score = .4 })},
		{"full scores", func(_ int, v float32) float32 { return 12 + 8*v }, common(func(d *detector.Decoding) { d.TopK, d.MaxDets = 200, 100 })},
		{"no numbers, infinite ones", func(i int, v float32) float32 {
			return []float32{v, nan, v, inf, -inf, v, 1e30, -1e30, v}[i%9]
		}, common(func(d *detector.Decoding) { d.TopK = 400 })},
		{"neighbours among numbers", func(i int, _ float32) float32 {
			return math.Float32frombits(math.Float32bits([]float32{1. / (1 << 24), -1. / (1 << 24), .3, 5, 17, -4, -17}[i%7]) + uint32(i/7))
		}, common(func(d *detector.Decoding) { d.Score, d.TopK, d.MaxDets, d.NMS = 1e-9, 1000, 0, .9 })},
		{"classes of their own", plain, func(classes int) detector.Decoding {
			d := detector.Decoding{TopK: 60, NMS: .4, MaxDets: 30, Scores: make([]float32, classes)}
			for k := range d.Scores {
				d.Scores[k] = []float32{.7, .3, 2, .5}[k%4]
			}
			return d
		}},
		{"some classes", plain, func(classes int) detector.Decoding {
			d := detector.Decoding{Score: .3, TopK: 60, NMS: .4, MaxDets: 30, Method: "agnostic", Only: make([]bool, classes)}
			for k := range d.Only {
				d.Only[k] = k%2 == 0
			}
			return d
		}},
	}
}

// The engine finds what the host finds of the same logits, for several levels and images, one of them without pixels; with blocks
// of one thread and of several.
func TestDetect(t *testing.T) {
	c := startCPU(t)
	for _, classes := range []int{1, 3, 80} {
		cfg := small(models["frozen norms"].change)
		cfg.Model.Classes = make([]string, classes)
		m, err := detector.New(cfg.Model, c, 3)
		must(t, err)
		defer func() { must(t, m.Close()) }()
		for threads := range blocks() {
			e := start(t)
			for _, k := range detectCases() {
				t.Run(fmt.Sprintf("%d classes/%d threads/%s", classes, threads, k.name), func(t *testing.T) {
					detectLike(t, m, e, k)
				})
			}
		}
	}
}

func detectLike(t *testing.T, m *detector.Model, e *cuda.Engine, k detectCase) {
	const n = 3
	grid, starts := m.Anchors(canvasH, canvasW)
	raw := &detector.Raw{N: n, Classes: m.Classes()}
	h := engine.Heads{Classes: m.Classes()}
	for l := range m.Levels() {
		size := n * (starts[l+1] - starts[l])
		logits, deltas := normal(uint64(l)+40, size*m.Classes()), normal(uint64(l)+50, 4*size)
		for i, v := range logits {
			logits[i] = k.logits(i, v)
		}
		deltas[len(deltas)/2], deltas[len(deltas)/3] = float32(math.NaN()), 1e30
		raw.Logits, raw.Deltas = append(raw.Logits, logits), append(raw.Deltas, deltas)
		h.Logits, h.Deltas = append(h.Logits, put(t, e, logits, len(logits))), append(h.Deltas, put(t, e, deltas, len(deltas)))
	}
	flat := make([]float32, 0, 4*len(grid))
	for _, a := range grid {
		flat = append(flat, a.X1, a.Y1, a.X2, a.Y2)
	}
	h.Anchors = put(t, e, flat, len(grid), 4)
	defer func() {
		e.Release(h.Anchors)
		e.Release(h.Logits...)
		e.Release(h.Deltas...)
	}()

	d := k.want(m.Classes())
	want := []detector.Wanted{{W: canvasW, H: canvasH, Decoding: d}, {W: canvasW / 2, H: canvasH - 7, Decoding: d}, {Decoding: d}}
	want[1].Decoding.TopK, want[1].Decoding.MaxDets = d.TopK/2, d.MaxDets/2
	var choices []engine.Choice
	for _, w := range want {
		choices = append(choices, w.Choice())
	}
	for _, thin := range []bool{true, false} {
		found, err := e.Detect(h, choices, thin)
		must(t, err)
		for i, w := range want {
			w.Candidates = !thin
			host := m.Found(raw, i, canvasH, canvasW, w)
			expect := host.Detections
			for j, b := range host.Candidates.Boxes {
				expect = append(expect, detector.Detection{Box: b, Class: host.Candidates.Classes[j], Score: host.Candidates.Scores[j]})
			}
			if len(found[i]) != len(expect) {
				t.Errorf("picture %d, NMS %v: %d boxes, the host finds %d", i, thin, len(found[i]), len(expect))
				continue
			}
			for j, f := range found[i] {
				x := expect[j]
				if f.Class != x.Class || !close32(f.Score, x.Score, 1e-6) || !close32(f.X1, x.Box.X1, 1e-3) || !close32(f.Y1, x.Box.Y1, 1e-3) || !close32(f.X2, x.Box.X2, 1e-3) || !close32(f.Y2, x.Box.Y2, 1e-3) {
					t.Fatalf("picture %d, NMS %v: box %d is %+v, the host's %+v", i, thin, j, f, x)
				}
			}
		}
	}
}

// close32 compares numbers, and what is none with what is none.
func close32(a, b, tolerance float32) bool {
	return a == b || a != a && b != b || math.Abs(float64(a)-float64(b)) <= float64(tolerance)
}

// Detections of a batch are waited for once, the network's outputs stay where they are.
func TestWaitsOfDetection(t *testing.T) {
	onHost(t)
	e := start(t)
	m, err := detector.New(small(models["frozen norms"].change).Model, e, 3)
	must(t, err)
	defer func() { must(t, m.Close()) }()
	net, err := m.Net(pictures, canvasH, canvasW)
	must(t, err)
	images := normal(31, pictures*canvasH*canvasW*3)
	d := detector.Wanted{W: canvasW, H: canvasH, Decoding: detector.Decoding{Score: .001, TopK: 100, NMS: .5, MaxDets: 10}}
	for _, method := range []string{"greedy", "soft-linear"} {
		d.Decoding.Method = method
		before := kernels.Count()
		found, err := m.Find(net, images, []detector.Wanted{d, d})
		must(t, err)
		if len(found) != 2 || len(found[0].Detections) != 10 || len(found[1].Detections) != 10 {
			t.Errorf("%s: %+v", method, found)
		}
		if n := kernels.Count().Waits - before.Waits; n != 1 {
			t.Errorf("%s: %d waits", method, n)
		}
	}
	h := engine.Heads{Logits: make([]*tensor.Dense, engine.MostLevels+1)}
	if _, err := e.Detect(h, []engine.Choice{{}}, true); err == nil {
		t.Error("detections of too many levels")
	}
}
