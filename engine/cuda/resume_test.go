//go:build gpu && linux && amd64

package cuda_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"path/filepath"
	"testing"

	"retinago/detector"
	"retinago/engine"
	"retinago/internal/model/weights"
	"retinago/train"
)

// savedState is a part of what a run saves.
type savedState struct {
	Scale   float64 `json:"loss_scale"`
	Average float64 `json:"normalizer_ema"`
}

func saved(t *testing.T, run string) (s savedState) {
	t.Helper()
	f, err := weights.Open(filepath.Join(run, train.StateFile))
	must(t, err)
	must(t, json.Unmarshal([]byte(f.Metadata["retinago.state"]), &s))
	must(t, f.Close())
	return s
}

// A run that is resumed goes on with its loss scale, and its checkpoints are float32.
func TestResumeLossScale(t *testing.T) {
	c := shapes(t)
	heavy(&c)
	out := filepath.Join(t.TempDir(), "run")
	var scales []float64
	for i, steps := range []int{2, 4} {
		c.Train.Epochs, c.Train.Steps, c.Train.CheckpointEvery, c.Train.EvalEvery = 0, steps, 2, 0
		must(t, train.Run(context.Background(), c, train.Options{Out: out, Resume: i > 0, Extend: i > 0, Log: io.Discard, Device: "cuda:" + gpuNumber(), Precision: "fp16"}))
		scales = append(scales, saved(t, out).Scale)
	}
	lines, want := journal(t, out), float64(engine.LossScaleStart)
	for _, l := range lines {
		if l.Skipped {
			want /= 2
		}
		if l.Scale != want {
			t.Errorf("%+v, want a scale of %g", l, want)
		}
	}
	if len(lines) != 4 || scales[0] == engine.LossScaleStart || scales[1] != want {
		t.Errorf("scales %v are saved after 2 and 4 steps, %d in the journal end with %g", scales, len(lines), want)
	}
	e := startCPU(t)
	m, _, err := detector.Open(filepath.Join(out, train.LastModel), e)
	must(t, err)
	must(t, m.Close())
}

// A moving average of positives that the GPU counts is the CPU's, also of a run that is resumed; with ATSS, which the GPU does itself.
func TestResumeAverage(t *testing.T) {
	c := shapes(t)
	c.Match.Kind, c.Loss.Normalizer = "atss", "ema"
	c.Train.Epochs, c.Train.CheckpointEvery, c.Train.EvalEvery = 0, 2, 0
	var outs []string
	for _, device := range []string{"cpu", "cuda:" + gpuNumber()} {
		out := filepath.Join(t.TempDir(), "run")
		outs = append(outs, out)
		for i, steps := range []int{3, 6} {
			c.Train.Steps = steps
			must(t, train.Run(context.Background(), c, train.Options{Out: out, Resume: i > 0, Extend: i > 0, Log: io.Discard, Device: device, Precision: "float32"}))
		}
	}
	want, got := saved(t, outs[0]).Average, saved(t, outs[1]).Average
	if got != want || want == 100 {
		t.Errorf("an average of %g after 6 steps, the cpu has %g", got, want)
	}
	cpu, gpu := journal(t, outs[0]), journal(t, outs[1])
	if len(cpu) != 6 || len(gpu) != 6 {
		t.Fatalf("%d steps in the cpu's journal, %d in the GPU's", len(cpu), len(gpu))
	}
	for i, c := range cpu {
		if g := gpu[i]; math.Abs(g.Loss/c.Loss-1) > 1e-3 {
			t.Errorf("step %d: a loss of %g, the cpu has %g", i+1, g.Loss, c.Loss)
		}
	}
}
