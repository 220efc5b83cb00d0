package reference

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/anchors"
	"retinago/augment"
	"retinago/backbone"
	"retinago/internal/dataset/data"
	"retinago/internal/kinds"
	"retinago/internal/recipe"
	"retinago/loss"
	"retinago/nms"
)

var update = flag.Bool("update", false, "write the generated documentation")

// tables are the parts of pages that are made from tables of kinds, by the names of their marks.
var tables = map[string]func() string{
	"backbone.Kinds":   func() string { return kinds.Markdown(backbone.Kinds) },
	"loss.Kinds":       func() string { return kinds.Markdown(loss.Kinds) },
	"loss.BoxKinds":    func() string { return kinds.Markdown(loss.BoxKinds) },
	"loss.Weightings":  func() string { return kinds.Markdown(loss.Weightings) },
	"data.Samplers":    func() string { return kinds.Markdown(data.Samplers) },
	"loss.Normalizers": func() string { return kinds.Markdown(loss.Normalizers) },
	"anchors.Kinds":    func() string { return kinds.Markdown(anchors.Kinds) },
	"nms.Kinds":        func() string { return kinds.Markdown(nms.Kinds) },
	"augment.Kinds":    policies,
	"augment.Presets":  presets,
	"recipe.Kinds":     recipe.Table,
}

// policies is the table of augmentation policies: those of one image, and those of scenes. None needs another setting.
func policies() string {
	var b strings.Builder
	b.WriteString("| name | what it does | settings: default (range), meaning |\n|---|---|---|\n")
	for _, k := range augment.Kinds {
		var params []string
		for _, p := range k.Params {
			params = append(params, fmt.Sprintf("`%s`: %v (%s), %s", p.Key, p.Default, p.Range(), p.Text))
		}
		name := "`" + k.Name + "`"
		if k.Combines {
			name += " \\*"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, k.Text, strings.Join(params, "<br>"))
	}
	return b.String()
}

// presets is the table of the presets.
func presets() string {
	var b strings.Builder
	b.WriteString("| preset | what it is | policies |\n|---|---|---|\n")
	for _, p := range augment.Presets {
		var list []string
		for _, v := range p.Policies {
			list = append(list, "`"+v.String()+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, p.Text, strings.Join(list, ", "))
	}
	return b.String()
}

// filled is a page with its generated parts made anew.
func filled(page string) (string, error) {
	const begin, mid, end = "<!-- generated: ", " -->\n", "<!-- end -->"
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(page, begin)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, rest, named := strings.Cut(rest, mid)
		_, rest, closed := strings.Cut(rest, end)
		table, known := tables[name]
		if !named || !closed || !known {
			return "", fmt.Errorf("the part %q has no end, or no table", name)
		}
		b.WriteString(begin + name + mid + table() + end)
		page = rest
	}
}

// The documentation is what the program is.
func TestGenerated(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	settingsPage := filepath.Join(root, "docs", "config.md")
	check := func(path string, make func(have string) (string, error)) {
		have, err := os.ReadFile(path)
		if err != nil && !(*update && os.IsNotExist(err)) {
			t.Fatal(err)
		}
		want, err := make(string(have))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if want == string(have) {
			return
		}
		if !*update {
			t.Errorf("%s is stale: go generate ./internal/reference", path)
			return
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check(settingsPage, func(string) (string, error) { return settings() })
	for _, p := range append(pages, filepath.Join(root, "README.md")) {
		if p != settingsPage {
			check(p, filled)
		}
	}
}

// Every setting has a default, a range and a meaning.
func TestEverySettingIsDescribed(t *testing.T) {
	text, err := settings()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, l := range strings.Split(text, "\n") {
		if !strings.HasPrefix(l, "| `") {
			continue
		}
		rows++
		if cells := strings.Split(l, " | "); len(cells) != 4 || strings.HasSuffix(l, " |  |") {
			t.Errorf("no meaning: %s", l)
		}
	}
	if rows < 80 {
		t.Errorf("only %d settings", rows)
	}
}

// The tables of advice have a row for each entry of the tables of kinds.
func TestEveryKindHasAdvice(t *testing.T) {
	for _, k := range []struct {
		page, head string
		names      []string
	}{
		{"losses.md", "| class loss | helps where | does not help where |", kinds.Names(loss.Kinds)},
		{"data.md", "| policy | helps where | harms where |", kinds.Names(augment.Kinds)},
	} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", k.page))
		if err != nil {
			t.Fatal(err)
		}
		_, advice, found := strings.Cut(string(page), k.head)
		advice, _, ended := strings.Cut(advice, "\n\n")
		if !found || !ended {
			t.Fatalf("docs/%s has no table %q", k.page, k.head)
		}
		for _, name := range k.names {
			if n := strings.Count(advice, "\n| `"+name+"` | "); n != 1 {
				t.Errorf("docs/%s: %s has %d rows, want 1", k.page, name, n)
			}
		}
	}
}

func TestFilled(t *testing.T) {
	got, err := filled("a\n<!-- generated: anchors.Kinds -->\nold\n<!-- end -->\nb\n")
	if err != nil || !strings.HasPrefix(got, "a\n<!-- generated: anchors.Kinds -->\n| name") || !strings.HasSuffix(got, "|\n<!-- end -->\nb\n") {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := filled("<!-- generated: anchors.Kinds -->\nold\n"); err == nil {
		t.Error("a part without an end passes")
	}
}
