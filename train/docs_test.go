package train

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
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
