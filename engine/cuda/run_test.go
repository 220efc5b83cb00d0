//go:build gpu && linux && amd64

package cuda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/lab/speed"
	"retinago/internal/media/picture"
	"retinago/internal/model/weights"
	"retinago/train"
)

// shapes is a run of a few steps on made-up images.
func shapes(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	must(t, data.Shapes(dir, data.ShapesOptions{Train: 8, Val: 2, Size: 96, MaxSize: 48, MaxObjects: 3, Seed: 3}))
	c := small(func(*config.Config) {})
	c.Model.Classes = nil
	c.Data.Root = dir
	c.Data.Train, c.Data.Val = config.Set{Source: "train.json", Images: "train"}, config.Set{Source: "val.json", Images: "val"}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 96, 32
	c.Train.Batch, c.Train.BaseBatch, c.Train.Epochs, c.Train.Steps, c.Train.EMA = 4, 4, 2, 0, .9
	c.Train.EvalEvery, c.Train.CheckpointEvery, c.Train.LogEvery, c.Train.WarmupSteps = 2, 2, 1, 0
	return c
}

// runBoth trains on the CPU, into cpu, and on the GPU, into cud, and compares the steps. It returns the folder of both.
func runBoth(t *testing.T, c config.Config) (out string) {
	t.Helper()
	var losses [2]string
	out = t.TempDir()
	for i, device := range []string{"cpu", "cuda:0"} {
		var log bytes.Buffer
		must(t, train.Run(context.Background(), c, train.Options{Out: filepath.Join(out, device[:3]), Log: &log, Device: device, Precision: "float32"}))
		losses[i] = log.String()
	}
	if !strings.Contains(losses[1], " on cuda:0 (") {
		t.Errorf("the run does not tell where it computes:\n%s", losses[1])
	}
	cpu, gpu := journal(t, filepath.Join(out, "cpu")), journal(t, filepath.Join(out, "cud"))
	if len(cpu) == 0 || len(cpu) != len(gpu) {
		t.Fatalf("%d steps in the cpu's journal, %d in the GPU's", len(cpu), len(gpu))
	}
	for i, c := range cpu {
		if g := gpu[i]; g.Step != c.Step || g.LR != c.LR || math.Abs(g.Loss/c.Loss-1) > 1e-3 || math.Abs(g.Norm/c.Norm-1) > 1e-2 {
			t.Errorf("line %d: %+v on the cpu, %+v on the GPU", i, c, g)
		}
	}
	return out
}

// A batch in parts, groups of parameters and averages that warm up are the same on a GPU.
func TestRunInParts(t *testing.T) {
	c := shapes(t)
	c.Train.Accumulate, c.Train.EMAWarmup, c.Train.LayerDecay, c.Train.Groups = 2, 3, .7, []string{"backbone.fpn.* lr=2 decay=0.5", "head.regression_head.* freeze"}
	out := runBoth(t, c)
	a, b := averages(t, filepath.Join(out, "cpu", train.StateFile)), averages(t, filepath.Join(out, "cud", train.StateFile))
	if len(a) == 0 {
		t.Fatal("no averages")
	}
	for name, v := range a {
		near(t, name, b[name], v, 1e-3)
	}
	c.Train.Accumulate = 4
	must(t, train.Run(context.Background(), c, train.Options{Out: t.TempDir(), Log: &bytes.Buffer{}, Device: "cuda:0", Precision: "fp16"}))
}

// averages reads the averages of a state file.
func averages(t *testing.T, path string) map[string][]float32 {
	t.Helper()
	f, err := weights.Open(path)
	must(t, err)
	defer f.Close()
	out := map[string][]float32{}
	for _, n := range f.Names() {
		if strings.HasPrefix(n, "average.") {
			v, err := f.Tensor(n)
			must(t, err)
			out[n] = v.Data
		}
	}
	return out
}

// `train` on a GPU: checkpoints, averages and evaluation included; what it wrote detects the same on both devices. A batch that does
// not fit is refused, with the one that does.
func TestRun(t *testing.T) {
	c := shapes(t)
	out := runBoth(t, c)
	path := filepath.Join(out, "cud", train.LastModel)
	img := &picture.Picture{W: 60, H: 90, Pix: make([]uint8, 3*60*90)}
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i >> 3)
	}
	score := 1e-3
	var found [2][]infer.Detection
	for i, device := range []string{"cpu", "cuda:0"} {
		p, err := infer.Load(path, infer.Options{Device: device, Precision: "float32", Score: &score, Threads: 2})
		must(t, err)
		found[i], err = p.Predict(t.Context(), img)
		must(t, err)
		must(t, p.Close())
	}
	if len(found[0]) == 0 || len(found[0]) != len(found[1]) {
		t.Fatalf("%d objects on the cpu, %d on the GPU", len(found[0]), len(found[1]))
	}
	for i, d := range found[0] {
		g := found[1][i]
		if g.Class != d.Class || math.Abs(float64(g.Score-d.Score)) > 1e-4 || math.Abs(float64(g.Box.X1-d.Box.X1)) > .01 || math.Abs(float64(g.Box.Y2-d.Box.Y2)) > .01 {
			t.Errorf("object %d: %+v on the cpu, %+v on the GPU", i, d, g)
		}
	}

	onHost(t)
	c.Train.Batch, c.Data.ShortSides, c.Data.MaxSide = 8, []int{160}, 192
	kernels.SetCapacity(kernels.Count().Bytes + 256<<20 + 30<<20) // 256 MB are kept for scratch space
	defer kernels.SetCapacity(1 << 30)
	err := train.Run(context.Background(), c, train.Options{Out: t.TempDir(), Log: &bytes.Buffer{}, Device: "cuda:0", Precision: "float32"})
	if err == nil || !strings.Contains(err.Error(), "a batch of ") || !strings.Contains(err.Error(), "on cuda:0") {
		t.Errorf("a batch of 8 in 30 MB: %v", err)
	}
}

// Measuring waits for every operation's own time and lets the whole run as it does.
func TestSpeed(t *testing.T) {
	e := start(t)
	c := small(func(*config.Config) {})
	m, err := detector.New(c.Model, e, 3)
	must(t, err)
	defer func() { must(t, m.Close()) }()
	s, err := speed.NewInference(m, c, 1, 64, 64, nil)
	must(t, err)
	r, err := speed.Measure(context.Background(), s, 2, func(int, int, time.Duration, time.Duration) {})
	must(t, err)
	r.Machine = speed.Describe(e)
	must(t, r.Ceilings(e))
	var text bytes.Buffer
	must(t, r.Print(&text))
	for _, p := range []string{"a product in float32", "a product in TF32"} {
		if !slices.ContainsFunc(r.Peaks, func(q speed.Peak) bool {
			return q.Name == p && q.GFLOPS > 0 && q.Share > 0 && q.Share == r.GFLOPS/q.GFLOPS
		}) {
			t.Errorf("peaks %+v: want %s", r.Peaks, p)
		}
	}
	if r.DeviceMB < r.ArenaMB || !strings.Contains(text.String(), "of a product in float32") || !strings.Contains(text.String(), "MB on the GPU") {
		t.Errorf("%.1f MB, %.1f of them planned:\n%s", r.DeviceMB, r.ArenaMB, text.String())
	}
	if r.MedianS <= 0 || !strings.Contains(text.String(), e.Name()) || strings.Contains(text.String(), "oneDNN") {
		t.Errorf("%v s:\n%s", r.MedianS, text.String())
	}
	for _, l := range r.Layers {
		if l.Op == "Conv" && l.MedianS <= 0 {
			t.Errorf("%s took no time", l.Name)
		}
	}
}

// line is a step in a run's journal.
type line struct {
	Step     int
	Loss, LR float64
	Norm     float64 `json:"grad_norm"`
	Scale    float64 `json:"loss_scale"`
	Skipped  bool
}

func journal(t *testing.T, dir string) (all []line) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, train.LogFile))
	must(t, err)
	for text := range bytes.Lines(b) {
		var l line
		must(t, json.Unmarshal(text, &l))
		if l.Loss != 0 {
			all = append(all, l)
		}
	}
	return all
}

// A run that diverges ends with the step that did, though the next had begun, and the journal with the one before.
func TestRunThatDiverges(t *testing.T) {
	c := shapes(t)
	c.Train.LR, c.Train.Momentum, c.Train.ClipNorm, c.Train.EMA = 1e30, 0, 0, 0
	c.Train.EvalEvery, c.Train.CheckpointEvery, c.Train.Epochs = 0, 0, 4
	var step [2]int
	for i, device := range []string{"cpu", "cuda:0"} {
		out := filepath.Join(t.TempDir(), "out")
		err := train.Run(context.Background(), c, train.Options{Out: out, Log: &bytes.Buffer{}, Device: device, Precision: "float32"})
		var d *train.Diverged
		if !errors.As(err, &d) {
			t.Fatalf("%s: %v", device, err)
		}
		step[i] = d.Step
		if lines := journal(t, out); len(lines) != d.Step {
			t.Errorf("%s: %d lines in the journal of a run that diverges after %d steps", device, len(lines), d.Step)
		}
	}
	if step[0] != step[1] || step[0] == 0 {
		t.Errorf("the cpu diverges after %d steps, the GPU after %d", step[0], step[1])
	}
}

// filled is a run whose device is filled by others after a step.
type filled struct{ step int }

func (h *filled) Reads(int) train.Reads                    { return train.ReadsModel }
func (h *filled) Begin(context.Context, *train.Loop) error { return nil }
func (h *filled) Step(_ context.Context, _ *train.Loop, s train.Step) error {
	if s.Number == h.step {
		kernels.SetCapacity(kernels.Count().Bytes)
	}
	return nil
}
func (h *filled) End(context.Context, *train.Loop, error) error { return nil }

// A run out of memory, in a step as in an evaluation, is saved and reports what fits; resumed, it ends as one with memory does.
func TestRunOutOfMemory(t *testing.T) {
	onHost(t)
	defer kernels.SetCapacity(1 << 30)
	c := shapes(t)
	run := func(out string, o train.Options) (string, error) {
		var log bytes.Buffer
		o.Out, o.Log, o.Device = out, &log, "cuda:0"
		err := train.Run(context.Background(), c, o)
		return log.String(), err
	}
	state := func(out string) []byte {
		b, err := os.ReadFile(filepath.Join(out, train.StateFile))
		must(t, err)
		return b
	}
	whole := t.TempDir()
	_, err := run(whole, train.Options{})
	must(t, err)
	for _, step := range []int{1, 2} { // after the second is an evaluation
		out := t.TempDir()
		_, err := run(out, train.Options{Hooks: []train.Hook{&filled{step}}})
		if !errors.Is(err, engine.ErrMemory) {
			t.Fatalf("no memory after step %d: %v", step, err)
		}
		for _, part := range []string{fmt.Sprintf("step %d is saved", step), "continue with -resume; as it is now, no batch fits"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("no memory after step %d: %v; want %q", step, err, part)
			}
		}
		kernels.SetCapacity(1 << 30)
		log, err := run(out, train.Options{Resume: true})
		must(t, err)
		if !strings.Contains(log, "evaluation at step 2") {
			t.Errorf("resumed at step %d:\n%s", step, log)
		}
		if !bytes.Equal(state(out), state(whole)) {
			t.Errorf("a run that was out of memory after step %d ends otherwise than one that was not", step)
		}
	}
}

// A batch of images that does not fit is an error with the largest batch that does, and other graphs run as before.
func TestBatchThatDoesNotFit(t *testing.T) {
	onHost(t)
	defer kernels.SetCapacity(1 << 30)
	e := start(t)
	m, err := detector.New(small(func(*config.Config) {}).Model, e, 3)
	must(t, err)
	defer func() { must(t, m.Close()) }()
	images := normal(31, canvasH*canvasW*3)
	run := func() []float32 {
		net, err := m.Net(1, canvasH, canvasW)
		must(t, err)
		raw, err := net.Run(images)
		must(t, err)
		return slices.Clone(raw.Logits[0])
	}
	before := run()
	plan, err := m.InferPlan(8, canvasH, canvasW)
	must(t, err)
	const scratch = 256 << 20 // is kept free
	capacity := kernels.Count().Bytes + plan.Bytes() + scratch
	kernels.SetCapacity(capacity)
	n := int(capacity / (12 * canvasH * canvasW) * 9 / 10) // its images fit, its activations do not
	_, err = m.Net(n, canvasH, canvasW)
	if !errors.Is(err, engine.ErrMemory) || !strings.Contains(err.Error(), "for activations") {
		t.Fatalf("a batch of %d: %v", n, err)
	}
	var got, fits int
	if _, e := fmt.Sscanf(err.Error(), "detector: %d canvases of 96x64 do not fit, %d do: ", &got, &fits); e != nil || got != n || fits < 1 || fits > 8 {
		t.Fatalf("a batch of %d: %v", n, err)
	}
	if !slices.Equal(run(), before) {
		t.Error("a batch that did not fit changes the next")
	}
	net, err := m.Net(fits, canvasH, canvasW)
	must(t, err)
	if _, err := net.Run(make([]float32, fits*len(images))); err != nil {
		t.Errorf("a batch of %d: %v", fits, err)
	}
}
