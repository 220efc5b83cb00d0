package train

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

var update = flag.Bool("update", false, "write the tables of docs/train.md")

// tables are the optimisers and schedules as Markdown.
func tables() string {
	var b strings.Builder
	row := func(name, text string, params []Param) {
		var all []string
		for _, p := range params {
			all = append(all, fmt.Sprintf("`%s` (%s; %s to %s): %s", p.Key, p.Default, p.Min, p.Max, p.Text))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, text, strings.Join(all, "<br>"))
	}
	b.WriteString("| `train.optimizer` | what | keys below `train`, with default and range |\n|---|---|---|\n")
	for _, k := range Optimizers {
		row(k.Name, k.Text, k.Params)
	}
	b.WriteString("\n| `train.schedule` | what | keys below `train`, with default and range |\n|---|---|---|\n")
	for _, k := range Schedules {
		row(k.Name, k.Text, k.Params)
	}
	return b.String()
}

// The tables of docs/train.md are those of the code.
func TestDocs(t *testing.T) {
	const path, begin, end = "../docs/train.md", "-update -->\n", "<!-- /kinds -->"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", path)
	}
	want := before + begin + tables() + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(b) != want {
		t.Errorf("the tables of %s are stale: run go test ./train -run TestDocs -update", path)
	}
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// The configurations of the pages are valid, and their groups have parameters in a network.
func TestExamplesOfPages(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	small := config.Default().Model
	small.Backbone, small.BackboneWidth, small.FPNWidth, small.HeadDepth, small.Norm, small.Classes = "resnet18", 8, 16, 1, "batch", []string{"a"}
	m, err := detector.New(small, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var all strings.Builder
	for _, page := range []string{"train.md", "data.md"} {
		b, err := os.ReadFile(filepath.Join("..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllStringSubmatch(string(b), -1) {
			all.WriteString(block[1])
			path := filepath.Join(t.TempDir(), "example.yaml")
			if err := os.WriteFile(path, []byte(block[1]), 0o644); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(path, nil)
			if err == nil {
				err = Validate(c)
			}
			if err == nil {
				err = Freeze(c.Train, m.Params())
			}
			if err != nil {
				t.Errorf("%s: %v in\n%s", page, err, block[1])
			}
		}
	}
	for _, key := range []string{"augment_until: ", "groups: [", " freeze", "ema_warmup: ", "layer_decay: ", "schedule: one_cycle", "minutes: "} {
		if !strings.Contains(all.String(), key) {
			t.Errorf("no example of %q", key)
		}
	}
}
