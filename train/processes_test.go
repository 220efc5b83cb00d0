package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"retinago/config"
	"retinago/internal/cluster"
	"retinago/internal/cluster/clustertest"
)

// output is a log of several goroutines.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// recorder is a hook that keeps the steps of a process.
type recorder struct {
	steps []Step
	stop  int // cancels after so many steps; 0 never
	end   context.CancelFunc
	spoil func(l *Loop, s Step) error // called after every step; nil does nothing
}

func (r *recorder) Reads(int) Reads                         { return ReadsModel }
func (r *recorder) Begin(context.Context, *Loop) error      { return nil }
func (r *recorder) End(context.Context, *Loop, error) error { return nil }
func (r *recorder) Step(_ context.Context, l *Loop, s Step) error {
	r.steps = append(r.steps, s)
	if r.stop > 0 && s.Number == r.stop {
		r.end()
	}
	if r.spoil != nil {
		return r.spoil(l, s)
	}
	return nil
}

// shared is a run of a second without batch norms, whose batch divides by 4. Nothing in it enlarges rounding errors: Adam would make a whole step
// of one where a gradient is 0, and so would a group norm over a map of one cell.
func shared(t *testing.T) config.Config {
	t.Helper()
	c := least(t)
	c.Model.Norm, c.Model.BackboneWidth = "group", 32
	c.Model.HeadNorm = ""
	c.Train.EvalEvery, c.Train.CheckpointEvery, c.Train.Optimizer, c.Train.LR = 0, 0, "sgd", 1e-3
	return c
}

// together runs n processes in a folder, with a hook for each that r returns, and returns their log and errors.
func together(t *testing.T, n int, c config.Config, o Options, r func(rank int) *recorder) (string, []error) {
	t.Helper()
	var log output
	errs := clustertest.Run(t, n, func(w *cluster.World) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o, hook := o, r(w.Rank())
		hook.end = cancel
		o.World, o.Log, o.Hooks = w, &log, []Hook{hook}
		return Run(ctx, c, o)
	})
	return log.String(), errs
}

// quiet is a recorder for each process, by rank.
func quiet(all *[]*recorder) func(int) *recorder {
	var mu sync.Mutex
	return func(rank int) *recorder {
		mu.Lock()
		defer mu.Unlock()
		for len(*all) <= rank {
			*all = append(*all, &recorder{})
		}
		return (*all)[rank]
	}
}

// compareSteps compares the losses, positives and rates of two runs' steps.
func compareSteps(t *testing.T, what string, got, want []Step, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d steps, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		for _, k := range [][2]float64{{g.Losses.Class, w.Losses.Class}, {g.Losses.Box, w.Losses.Box}} {
			if !(math.Abs(k[0]-k[1]) <= tolerance*math.Abs(w.Losses.Total())) {
				t.Errorf("%s, step %d: a loss of %.9g, want %.9g", what, i+1, k[0], k[1])
			}
		}
		if g.Positives != w.Positives || g.LR != w.LR || g.Number != w.Number {
			t.Errorf("%s, step %d: %d positives at rate %g, want %d at %g", what, g.Number, g.Positives, g.LR, w.Positives, w.LR)
		}
	}
}

// Two and four processes come to the losses of one with the same whole batch, with every normaliser and with losses that follow the batches. All
// processes have the same numbers, and so has the same run again.
func TestProcesses(t *testing.T) {
	for _, k := range []struct {
		name   string
		change func(c *config.Config)
	}{
		{"frozen", func(c *config.Config) { c.Model.Norm, c.Model.BackboneWidth, c.Train.ClipNorm = "frozen", 8, .5 }},
		{"group, image, policies, parts", func(c *config.Config) {
			c.Loss.Normalizer, c.Data.Augment, c.Train.Accumulate, c.Train.Batch = "image", config.Augment{{Name: "ssd"}}, 2, 8
		}},
		{"ema, seesaw", func(c *config.Config) { c.Loss.Normalizer, c.Loss.Kind, c.Model.Background = "ema", "seesaw", true }},
		{"anchors, ghmc", func(c *config.Config) { c.Loss.Normalizer, c.Loss.Kind = "anchors", "ghmc" }},
		{"efl, sampler", func(c *config.Config) { c.Loss.Kind, c.Data.Sampler = "efl", "class_balanced" }},
	} {
		t.Run(k.name, func(t *testing.T) {
			if testing.Short() && k.name != "frozen" {
				t.Skip("one case in the short tests")
			}
			c := shared(t)
			k.change(&c)
			var one []*recorder
			out := t.TempDir()
			if log, errs := together(t, 1, c, Options{Out: out}, quiet(&one)); errs[0] != nil {
				t.Fatalf("%v\n%s", errs[0], log)
			}
			want := parameters(t, filepath.Join(out, StateFile))
			for _, n := range []int{2, 4} {
				files := make([][]byte, 1+n%4/2) // two processes twice
				for again := range files {
					var all []*recorder
					out := t.TempDir()
					log, errs := together(t, n, c, Options{Out: out}, quiet(&all))
					if err := errors.Join(errs...); err != nil {
						t.Fatalf("%v\n%s", err, log)
					}
					compareSteps(t, fmt.Sprint(n, " processes"), all[0].steps, one[0].steps, 1e-6)
					for p, r := range all {
						compareSteps(t, fmt.Sprintf("process %d of %d", p, n), r.steps, all[0].steps, 0)
						if s := r.steps[0]; len(s.Images) != c.Train.Batch/n || s.GradNorm != all[0].steps[0].GradNorm || s.Exchange <= 0 {
							t.Errorf("process %d of %d: %d images, norm %g, exchange %v", p, n, len(s.Images), s.GradNorm, s.Exchange)
						}
					}
					if want := fmt.Sprintf("processes %d processes by goroutines", n); strings.Count(log, want) != 1 || strings.Count(log, "epoch     ") != 1 {
						t.Errorf("%q is not once in\n%s", want, log)
					}
					compareWeights(t, parameters(t, filepath.Join(out, StateFile)), want)
					var err error
					if files[again], err = os.ReadFile(filepath.Join(out, StateFile)); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(files[0], files[len(files)-1]) {
					t.Errorf("%d processes: the same run again has another state", n)
				}
			}
		})
	}
}

// compareWeights compares the weights and averages of two states by the norm of their difference. Moments are gradients, in which a ReLU that opens
// at a rounding error is a step.
func compareWeights(t *testing.T, got, want map[string][]float32) {
	t.Helper()
	var off, sum float64
	for name, v := range want {
		if strings.HasPrefix(name, "optimizer.") {
			continue
		}
		for i, w := range v {
			off += float64(got[name][i]-w) * float64(got[name][i]-w)
			sum += float64(w) * float64(w)
		}
	}
	if r := math.Sqrt(off / sum); !(r <= 1e-6) {
		t.Errorf("the weights differ by %.2g of its norm", r)
	}
}

// An interruption of one process saves the run and ends all at the same step; it goes on with another number of processes, and comes to what
// the undisturbed run comes to.
func TestProcessesResume(t *testing.T) {
	c := shared(t)
	var one []*recorder
	if log, errs := together(t, 1, c, Options{Out: t.TempDir()}, quiet(&one)); errs[0] != nil {
		t.Fatalf("%v\n%s", errs[0], log)
	}
	out := t.TempDir()
	first := []*recorder{{}, {stop: 3}}
	log, errs := together(t, 2, c, Options{Out: out}, quiet(&first))
	if err := errors.Join(errs...); err != nil || strings.Count(log, "interrupted: saving step 3") != 1 {
		t.Fatalf("%v\n%s", err, log)
	}
	for p, r := range first {
		compareSteps(t, fmt.Sprint("interrupted process ", p), r.steps, one[0].steps[:3], 1e-6)
	}
	second := []*recorder{{}, {}, {}, {stop: 5}}
	log, errs = together(t, 4, c, Options{Out: out, Resume: true}, quiet(&second))
	if err := errors.Join(errs...); err != nil || !strings.Contains(log, "processes: 2 then, 4 now") {
		t.Fatalf("%v\n%s", err, log)
	}
	var third []*recorder
	log, errs = together(t, 1, c, Options{Out: out, Resume: true}, quiet(&third))
	if errs[0] != nil || !strings.Contains(log, "processes: 4 then, 1 now") {
		t.Fatalf("%v\n%s", errs[0], log)
	}
	compareSteps(t, "resumed twice", append(second[0].steps, third[0].steps...), one[0].steps[3:], 1e-6)
}

// What several processes cannot do is refused before the first step, with the setting that helps. Nothing is written.
func TestProcessesRefuse(t *testing.T) {
	for name, k := range map[string]struct {
		n      int
		change func(c *config.Config, o *Options)
		want   []string
	}{
		"batch":       {3, func(*config.Config, *Options) {}, []string{"train.batch 4", "3 processes", "multiple of 3"}},
		"parts":       {2, func(c *config.Config, _ *Options) { c.Train.Accumulate = 4 }, []string{"train.batch 4", "multiple of 8", "train.accumulate"}},
		"norm":        {2, func(c *config.Config, _ *Options) { c.Model.Norm = "batch" }, []string{"model.norm batch", "group"}},
		"mining":      {2, func(c *config.Config, _ *Options) { c.Loss.Kind = "ohem" }, []string{"loss.kind ohem"}},
		"precision":   {2, func(_ *config.Config, o *Options) { o.Precision = "fp16" }, []string{"fp16", "bf16"}},
		"no data":     {2, func(c *config.Config, _ *Options) { c.Data.Train.Source = "absent.json" }, []string{"absent.json"}},
		"not a state": {2, func(_ *config.Config, o *Options) { o.Resume = true }, []string{"nothing to resume"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, o, all := shared(t), Options{Out: filepath.Join(t.TempDir(), "run")}, []*recorder(nil)
			k.change(&c, &o)
			_, errs := together(t, k.n, c, o, quiet(&all))
			for p, err := range errs {
				var agreed *cluster.Agreed
				if !errors.As(err, &agreed) {
					t.Fatalf("process %d: %v", p, err)
				}
				for _, w := range k.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("process %d: %v, want %q", p, err, w)
					}
				}
			}
			if _, err := os.Stat(filepath.Join(o.Out, ConfigFile)); err == nil {
				t.Error("a refused run leaves its configuration behind")
			}
		})
	}
}

// Processes with another setting, other data or other weights are refused, by name. Numbers of threads may differ.
func TestProcessesUnlike(t *testing.T) {
	for name, k := range map[string]struct {
		change func(c *config.Config)
		want   string // empty is no error
	}{
		"threads":  {func(c *config.Config) { c.Train.Threads, c.Data.Workers = 2, 1 }, ""},
		"rate":     {func(c *config.Config) { c.Train.LR = .5 }, "train.lr: 0.001 and 0.5"},
		"seed":     {func(c *config.Config) { c.Train.Seed = 99 }, "weights, first "},
		"data":     {func(c *config.Config) { c.Data.Train.Source = "val.json"; c.Data.Train.Images = "val" }, "annotations of data.train"},
		"an error": {func(c *config.Config) { c.Data.Root = "absent" }, "process 1 on "},
	} {
		t.Run(name, func(t *testing.T) {
			c := shared(t)
			c.Train.Steps = 1
			errs := clustertest.Run(t, 2, func(w *cluster.World) error {
				c := c
				if w.Rank() == 1 {
					k.change(&c)
				}
				dir := filepath.Join(c.Data.Root, "run")
				return Run(t.Context(), c, Options{Out: dir, World: w})
			})
			for p, err := range errs {
				if (err == nil) != (k.want == "") || err != nil && !strings.Contains(err.Error(), k.want) {
					t.Errorf("process %d: %v, want %q", p, err, k.want)
				}
			}
		})
	}
}

// A loss that is not a number in one process ends all at the same step, with the names of all images.
func TestProcessesDiverge(t *testing.T) {
	c := shared(t)
	all := []*recorder{{}, {}}
	all[1].spoil = func(l *Loop, s Step) error {
		if s.Number < 2 {
			return nil
		}
		p := l.model.Params()[0]
		bad := make([]float32, p.Size())
		bad[0] = float32(math.NaN())
		defer l.model.Changed()
		return l.model.Engine().Upload(p.Value, bad)
	}
	log, errs := together(t, 2, c, Options{Out: t.TempDir()}, quiet(&all))
	for p, err := range errs {
		var d *Diverged
		if !errors.As(err, &d) || d.Step != 2 {
			t.Fatalf("process %d: %v\n%s", p, err, log)
		}
		if n := strings.Count(err.Error(), ".jpg"); n != c.Train.Batch {
			t.Errorf("process %d names %d images of %d: %v", p, n, c.Train.Batch, err)
		}
	}
}

// A process whose weights differ in one bit is found at the next checkpoint, before it is written, and named.
func TestProcessesLoseABit(t *testing.T) {
	c := shared(t)
	c.Train.CheckpointEvery = 3
	all := []*recorder{{}, {}, {}, {}}
	var name string
	all[2].spoil = func(l *Loop, s Step) error {
		if s.Number != 2 {
			return nil
		}
		p := l.model.Params()[4]
		name = p.Name
		v := make([]float32, p.Size())
		if err := l.model.Engine().Download(v, p.Value); err != nil {
			return err
		}
		v[1] = math.Float32frombits(math.Float32bits(v[1]) ^ 1)
		defer l.model.Changed()
		return l.model.Engine().Upload(p.Value, v)
	}
	out := t.TempDir()
	_, errs := together(t, 4, c, Options{Out: out}, quiet(&all))
	for p, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "step 3: process 2 on ") || !strings.Contains(err.Error(), name) {
			t.Errorf("process %d: %v, want step 3, process 2 and %s", p, err, name)
		}
	}
	if _, err := os.Stat(filepath.Join(out, StateFile)); err == nil {
		t.Error("the unequal weights were saved")
	}
}

// The length of a run of train.minutes is chosen by the first process for all.
func TestProcessesMinutes(t *testing.T) {
	c := shared(t)
	c.Train.Steps, c.Train.Epochs, c.Train.Minutes = 0, 0, .2
	var all []*recorder
	log, errs := together(t, 2, c, Options{Out: t.TempDir()}, quiet(&all))
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	compareSteps(t, "the other process", all[1].steps, all[0].steps, 0)
	if n := len(all[0].steps); n < fitAfter || strings.Count(log, "what fits into train.minutes") != 1 {
		t.Errorf("%d steps\n%s", n, log)
	}
}
