//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/config"
	"retinago/engine"
	"retinago/engine/cuda/kernels"
)

// What is recorded is not done, and every repetition reads memory as it is then; it ends when memory was given back.
func TestRecord(t *testing.T) {
	e := start(t)
	a, b, y := put(t, e, []float32{1, 2}, 2), put(t, e, []float32{10, 20}, 2), put(t, e, []float32{7, 7}, 2)
	must(t, e.Sum(a, a, b, engine.None)) // finds the kernel
	must(t, e.Upload(a, []float32{1, 2}))
	r, err := e.Record(func() error {
		if err := e.Sum(y, a, b, engine.None); err != nil {
			return err
		}
		return e.Sum(b, b, b, engine.None)
	})
	must(t, err)
	if v := get(t, e, y); !slices.Equal(v, []float32{7, 7}) {
		t.Errorf("recording came to %v", v)
	}
	for _, want := range [][]float32{{11, 22}, {120, 140}} {
		if done, err := r.Replay(); !done || err != nil {
			t.Fatalf("%v, %v", done, err)
		}
		if v := get(t, e, y); !slices.Equal(v, want) {
			t.Errorf("a repetition came to %v, want %v", v, want)
		}
		must(t, e.Upload(a, []float32{100, 100}))
	}
	mem, err := e.Alloc(64)
	must(t, err)
	must(t, e.Free(mem, 64))
	if done, err := r.Replay(); done || err != nil {
		t.Errorf("repeated after memory was given back: %v, %v", done, err)
	}
	must(t, r.Close())
}

// What cannot be recorded is an error, and the engine works on.
func TestRecordRefuses(t *testing.T) {
	e := start(t)
	a := put(t, e, []float32{1, 2}, 2)
	for name, f := range map[string]func() error{
		"new":      func() error { _, err := e.New(tensor.Float32, 3); return err },
		"upload":   func() error { return e.Upload(a, []float32{3, 4}) },
		"download": func() error { return e.Download(make([]float32, 2), a) },
		"wait":     e.Wait,
		"another":  func() error { _, err := e.Record(func() error { return nil }); return err },
		// Past the engine's own eyes the driver finds it, at the end.
		"driver": func() error { _, _ = cu.MemAlloc(64); return nil },
	} {
		if _, err := e.Record(f); err == nil {
			t.Errorf("%s: recorded", name)
		}
		if v := get(t, e, a); !slices.Equal(v, []float32{1, 2}) {
			t.Errorf("%s: %v afterwards", name, v)
		}
	}
}

// steps takes some on two canvases with a learning rate, images and objects that change.
func steps(t *testing.T, cfg config.Config, plain bool) (o outcome) {
	e := start(t)
	m, s := stepper(t, e, cfg)
	defer func() { must(t, m.Close()) }()
	match := cfg.Match.Assigner(cfg.Model.Anchors.PerCell())
	for k := range 10 {
		h, w := canvasH, canvasW
		if k%3 == 2 {
			h, w = canvasH+32, canvasW+32
		}
		g, err := s.Graph(pictures, h, w)
		must(t, err)
		if plain {
			g.Observe(func(int, time.Duration) {})
		}
		objects := scene()
		if k%2 == 1 {
			slices.Reverse(objects)
		}
		must(t, s.Queue(pictures, h, w, normal(uint64(k), pictures*h*w*3), m.Assign(match, h, w, objects), .01/float64(k+1)))
		taken, err := s.Report()
		must(t, err)
		o.add(fmt.Sprint("losses and norm of step ", k), []float32{float32(taken.Losses.Class), float32(taken.Losses.Box), float32(taken.GradNorm)})
		must(t, g.NotRecorded())
	}
	for _, p := range m.Params() {
		o.add(p.Name, get(t, e, p.Value))
	}
	return o
}

// Steps that are repeated from a recording come to what steps given operation by operation come to, to the bit, also where
// canvases take turns and the arena has moved; recordings go with their model.
func TestRecordedSteps(t *testing.T) {
	onHost(t)
	byHost := map[string]func(c *config.Config){
		"losses of the host": func(c *config.Config) { c.Loss.Kind, c.Loss.MineKeep = "ohem", 0 },
		"gates of the host":  func(c *config.Config) { c.Model.Backbone, c.Model.BackboneWidth = "regnet_y_400mf", 0 },
	}
	for _, name := range append([]string{"frozen norms", "batch norm, group norm in heads", "group norm, AdamW, L1", "quality focal, GIoU", "OHEM, IoU"}, slices.Sorted(maps.Keys(byHost))...) {
		t.Run(name, func(t *testing.T) {
			wanted := int64(0)
			change := byHost[name]
			if change == nil {
				change, wanted = models[name].change, 4+1 // of the first canvas and of the other
			}
			cfg := small(change)
			live, before := kernels.Graphs()
			want := steps(t, cfg, true)
			if _, replays := kernels.Graphs(); replays != before {
				t.Error("observed steps were recorded")
			}
			got := steps(t, cfg, false)
			after, replays := kernels.Graphs()
			if n := replays - before; n != wanted {
				t.Errorf("%d steps were repeated, want %d", n, wanted)
			}
			if after != live {
				t.Errorf("%d recordings are left", after-live)
			}
			for i, name := range want.names {
				if !slices.Equal(got.values[i], want.values[i]) {
					t.Errorf("%s differs", name)
				}
			}
		})
	}
}
