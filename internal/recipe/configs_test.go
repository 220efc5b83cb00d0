package recipe

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/train"
)

const configs = "../../configs"

// header returns the comment at the beginning of a configuration, without its marks.
func header(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		text, comment := strings.CutPrefix(line, "#")
		if !comment {
			break
		}
		out.WriteString(strings.TrimPrefix(text, " "))
	}
	return out.String()
}

// Lines of a header: a number, or the words for none.
var (
	timeLine = regexp.MustCompile(`(?m)^time: (\d+(\.\d+)? (s|minutes|hours)\b|not measured here)`)
	apLine   = regexp.MustCompile(`(?m)^AP: (\.\d+\b|not measured here)`)
	machine  = regexp.MustCompile(`(?m)^machine: \S`)
)

// Every configuration is valid, and its header has the command that trains it, the machine, the time and the AP.
func TestConfigs(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(configs, "*.yaml"))
	if err != nil || len(paths) < len(Kinds) {
		t.Fatalf("%d configurations, %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		c, err := config.Load(path, nil)
		if err == nil {
			err = train.Validate(c)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text := header(t, path)
		if command := fmt.Sprintf("bin/retinago train -config configs/%s ", name); !strings.Contains(text, command) {
			t.Errorf("%s: no line %q", name, command)
		}
		for what, line := range map[string]*regexp.Regexp{"machine: NAME": machine, "time: N minutes": timeLine, "AP: .NN": apLine} {
			if n := len(line.FindAllString(text, -1)); n != 1 {
				t.Errorf("%s: %d lines like %q in its header, want one; where there is no number: not measured here", name, n, what)
			}
		}
	}
}

// Every recipe has a configuration with its name, which makes the recipe's choices.
func TestConfigOfEveryRecipe(t *testing.T) {
	for _, k := range Kinds {
		path := filepath.Join(configs, strings.ReplaceAll(k.Name, "-", "_")+".yaml")
		c, err := config.Load(path, nil)
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if !strings.Contains(header(t, path), "the recipe "+k.Name) {
			t.Errorf("%s: its header does not name the recipe", path)
		}
		var policies []string
		for _, p := range c.Data.Augment {
			policies = append(policies, p.Name)
		}
		want := []string{k.preset}
		if k.native {
			want = []string{"crop", k.preset}
		}
		for _, p := range k.policies {
			want = append(want, p.Name)
		}
		switch {
		case !slices.Equal(policies, want):
			t.Errorf("%s: policies %v, want %v", path, policies, want)
		case k.native && (c.Data.Augment[0].Settings["size"] != float64(c.Data.TestSide()) || c.Data.MaxSide != c.Data.TestSide() || c.Train.EvalEvery != 0):
			t.Errorf("%s: windows of %v px on canvases of %d to %d, measured every %d steps", path, c.Data.Augment[0], c.Data.TestSide(), c.Data.MaxSide, c.Train.EvalEvery)
		case k.balanced != (c.Data.Sampler == "repeat_factor"):
			t.Errorf("%s: sampler %s", path, c.Data.Sampler)
		case k.wide && (c.Model.FPNWidth < 128 || c.Model.HeadDepth < 4):
			t.Errorf("%s: a pyramid of %d channels, heads of %d layers", path, c.Model.FPNWidth, c.Model.HeadDepth)
		case k.average != (c.Train.EMA > 0):
			t.Errorf("%s: an average with a decay of %g", path, c.Train.EMA)
		case c.Train.Batch != c.Train.BaseBatch || k.batch > 0 && c.Train.Batch != k.batch:
			t.Errorf("%s: batches of %d, with a base of %d", path, c.Train.Batch, c.Train.BaseBatch)
		}
	}
}
