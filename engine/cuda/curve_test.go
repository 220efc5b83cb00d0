//go:build gpu && linux && amd64

package cuda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/train"
)

// curve is what a run came to.
type curve struct {
	losses []float64 // by step
	ap     float64   // after the last
	until  int       // steps before the first that the loss scale skipped; 0 for none
}

func trainOn(t *testing.T, device, precision string, c config.Config) (got curve) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	must(t, train.Run(context.Background(), c, train.Options{Out: out, Log: io.Discard, Device: device, Precision: precision}))
	log, err := os.ReadFile(filepath.Join(out, train.LogFile))
	must(t, err)
	for text := range bytes.Lines(log) {
		var line struct {
			Loss    *float64
			Skipped bool
			Stats   []float64
		}
		must(t, json.Unmarshal(text, &line))
		if line.Loss != nil {
			if line.Skipped && got.until == 0 {
				got.until = len(got.losses)
			}
			got.losses = append(got.losses, *line.Loss)
		}
		if len(line.Stats) > 0 {
			got.ap = line.Stats[0]
		}
	}
	return got
}

// A GPU's run of 200 steps on shapes follows the CPU's in every precision: the same loss while rounding has not grown, then the same
// mean over 20 steps, and the same AP. On the host's device, which is slow, a few steps; all of them in the precisions that
// RETINAGO_CURVE names (bf16,fp16), a quarter of an hour each.
func TestCurve(t *testing.T) {
	c, window, precisions := shapes(t), 4, []string{"float32", "bf16", "fp16"}
	c.Train.Epochs, c.Train.Steps = 0, 8
	wanted := os.Getenv("RETINAGO_CURVE")
	if wanted != "" {
		precisions = strings.Split(wanted, ",")
	}
	if realDevice() || wanted != "" {
		var err error
		c, err = config.Load(filepath.Join("..", "..", "configs", "shapes_tiny.yaml"), nil)
		must(t, err)
		c.Data.Root = t.TempDir()
		must(t, data.Shapes(c.Data.Root, data.ShapesOptions{}))
		c.Train.Epochs, c.Train.Steps, window = 0, 200, 20
		// At a low rate rounding takes longer to grow.
		c.Train.Schedule, c.Train.LR, c.Train.WarmupSteps, c.Train.WarmupFactor, c.Loss.Normalizer = "cosine", 1e-3, 100, .01, "image"
	}
	var got []curve
	for _, p := range precisions {
		got = append(got, trainOn(t, "cuda:"+gpuNumber(), p, c))
	}
	want := trainOn(t, "cpu", "", c)
	// A tenth of a loss is noise; the first steps differ by rounding alone.
	rounding := map[string]float64{"float32": 1e-3, "bf16": 1e-2, "fp16": 5e-3}
	for i, p := range precisions {
		t.Run(p, func(t *testing.T) { follows(t, got[i], want, rounding[p], window) })
	}
}

func follows(t *testing.T, got, want curve, rounding float64, window int) {
	steps := len(want.losses)
	if steps == 0 || len(got.losses) != steps {
		t.Fatalf("%d steps on the cpu, %d on the GPU", steps, len(got.losses))
	}
	first := 3
	if got.until > 0 { // what follows is a step behind
		first = min(first, got.until+1)
		if steps < 20 { // which few do not make up for
			steps = got.until + 1
		}
	}
	for i := range min(first, steps) {
		if w, g := want.losses[i], got.losses[i]; math.Abs(g-w) > rounding*w {
			t.Errorf("step %d: a loss of %g, the cpu has %g", i+1, g, w)
		}
	}
	for i := 0; i+window <= steps; i += window {
		w, g := mean(want.losses[i:i+window]), mean(got.losses[i:i+window])
		t.Logf("steps %d-%d: a mean loss of %.4f, on the cpu %.4f", i+1, i+window, g, w)
		if math.Abs(g-w) > .1*w {
			t.Errorf("steps %d-%d: a mean loss of %g, the cpu has %g", i+1, i+window, g, w)
		}
	}
	t.Logf("AP %.3f, on the cpu %.3f", got.ap, want.ap)
	if math.Abs(got.ap-want.ap) > .05 {
		t.Errorf("AP %.3f, the cpu has %.3f", got.ap, want.ap)
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}
