package train

import (
	"strings"
	"testing"

	"retinago/config"
)

// Each setting that a run would suffer from has a warning that names it, and a sound configuration none.
func TestDoubts(t *testing.T) {
	sound := config.Default()
	sound.Train.InitWeights = "resnet50.safetensors"
	for name, k := range map[string]struct {
		change func(c *config.Config)
		steps  int
		want   string
	}{
		"sound":                    {func(*config.Config) {}, 90000, ""},
		"frozen, random":           {func(c *config.Config) { c.Train.InitWeights = "" }, 90000, "model.frozen_stages 2"},
		"frozen norms, random":     {func(c *config.Config) { c.Train.InitWeights, c.Model.FrozenStages = "", 0 }, 90000, "model.norm frozen"},
		"random, nothing frozen":   {func(c *config.Config) { c.Train.InitWeights, c.Model.FrozenStages, c.Model.Norm = "", 0, "batch" }, 90000, ""},
		"a long warm-up":           {func(*config.Config) {}, 9000, "warm-up of 1000 steps"},
		"a scaled warm-up":         {func(c *config.Config) { c.Train.Batch = 2 }, 9000, "warm-up of 8000 steps"},
		"a batch without its rate": {func(c *config.Config) { c.Train.Batch, c.Train.BaseBatch = 1, 1 }, 90000, "learning rate of 0.01 for a batch of 1"},
		"a batch with its rate":    {func(c *config.Config) { c.Train.Batch = 1 }, 720000, ""},
		"a small rate":             {func(c *config.Config) { c.Train.LR = 1e-4 }, 90000, "learning rate of 0.0001"},
		"Adam at SGD's rate":       {func(c *config.Config) { c.Train.Optimizer = "adamw" }, 90000, "adamw"},
		"Adam at its rate":         {func(c *config.Config) { c.Train.Optimizer, c.Train.LR = "adamw", 1e-4 }, 90000, ""},
	} {
		c := sound
		k.change(&c)
		got := doubts(c, Schedule{Steps: k.steps})
		if (k.want == "") != (len(got) == 0) || !strings.Contains(strings.Join(got, "\n"), k.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
