//go:build campaign

package campaign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// recipe is a piece of work of a few seconds whose outcome is the same to the bit each time: a training run or a sweep.
type recipe struct {
	name    string
	program string
	begin   []string // arguments, without -out
	resume  func(dir string) []string
	want    string        // folder of an uninterrupted one
	took    time.Duration // by it
	writes  int64         // changes to the disk that it makes
	events  int64         // that the kernel reports of its folder
}

// set makes arguments of settings.
func set(all ...string) []string {
	var args []string
	for _, s := range all {
		args = append(args, "-set", s)
	}
	return args
}

// small settings make a run of two seconds that learns something. One thread, so that all machines compute the same.
func small(data string, more ...string) []string {
	return append(set("data.root="+data, "data.train.source=train.json", "data.train.images=train", "data.val.source=train.json", "data.val.images=train",
		"data.short_sides=[64]", "data.max_side=96", "data.canvas_multiple=32", "model.backbone=resnet18", "model.backbone_width=16", "model.norm=batch",
		"model.frozen_stages=0", "model.fpn_width=16", "model.head_depth=1", "model.head_norm=group", "train.batch=4", "train.base_batch=4",
		"train.lr=.003", "train.warmup_steps=2", "train.log_every=10", "train.threads=1", "train.steps=48"), set(more...)...)
}

// dataset makes 12 images of shapes.
func dataset(t *testing.T, program, dir string) string {
	t.Helper()
	must(t, program, "data", "shapes", "-out", dir, "-train", "12", "-val", "2", "-size", "96", "-min-size", "24", "-max-size", "48", "-max-objects", "2", "-seed", fmt.Sprint(setting.seed))
	return dir
}

// recipes are all, each made once without interruption.
func recipes(t *testing.T, program, dir string) []*recipe {
	t.Helper()
	data := dataset(t, program, filepath.Join(dir, "data"))
	run := func(name string, sets ...string) *recipe {
		args := append([]string{"train"}, small(data, sets...)...)
		return &recipe{name: name, program: program, begin: args, resume: func(dir string) []string {
			if _, err := os.Stat(filepath.Join(dir, "last.state.safetensors")); err == nil {
				return append(slices.Clone(args), "-resume")
			}
			return args
		}}
	}
	sweep := append([]string{"bench", "losses"}, small(data, "train.optimizer=adamw", "train.eval_every=12", "train.checkpoint_every=7", "train.steps=32")...)
	sweep = append(sweep, "-losses", "ce,fl-g2", "-seeds", "1", "-pictures", "2")
	all := []*recipe{
		run("AdamW with averages, evaluations and checkpoints", "train.optimizer=adamw", "train.ema=.7", "train.eval_every=8", "train.checkpoint_every=5"),
		run("SGD, measured at its end", "train.eval_every=0", "train.checkpoint_every=3", "train.lr=.01"),
		{name: "a sweep of two cells", program: program, begin: sweep, resume: func(string) []string { return sweep }},
	}
	for i, r := range all {
		r.want = filepath.Join(dir, fmt.Sprintf("whole-%d", i))
		if err := r.size(); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		again := r.want + "-again"
		must(t, program, append(slices.Clone(r.begin), "-out", again)...)
		if d := differences(r.want, again); d != nil {
			t.Fatalf("%s: two uninterrupted ones differ, so that nothing can be compared with them: %v", r.name, d)
		}
		if err := os.RemoveAll(again); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
