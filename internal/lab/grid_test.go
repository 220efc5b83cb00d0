package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/config"
)

func grid(t *testing.T, lists ...string) []Variant {
	t.Helper()
	v, err := Grid(lists)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The variants are all combinations, the first values first, and every one is a configuration.
func TestGrid(t *testing.T) {
	all := grid(t, "data.augment=none,light, strong", "train.lr=.0005,1e-3")
	want := []string{"none+lr=.0005", "none+lr=1e-3", "light+lr=.0005", "light+lr=1e-3", "strong+lr=.0005", "strong+lr=1e-3"}
	if !slices.Equal(names(all), want) {
		t.Errorf("names %v, want %v", names(all), want)
	}
	if got := all[5]; strings.Join(got.Sets, " ") != "data.augment=strong train.lr=1e-3" || got.Words != "augment strong, lr 1e-3" {
		t.Errorf("%+v", got)
	}
	for _, v := range all {
		c := config.Default()
		if err := c.Set(v.Sets); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// A value that is no word has its key beside it, the whole one where two keys end alike. Other characters than those of names, and the end
// of what is long, become a part of the checksum; no two variants share a name.
func TestGridNames(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, k := range []struct {
		lists []string
		want  []string // beginnings
	}{
		{[]string{"model.backbone=resnet18,mobilenet_v1"}, []string{"resnet18", "mobilenet_v1"}},
		{[]string{"model.background=true,false"}, []string{"background=true", "background=false"}},
		{[]string{"match.background=.4,.5", "model.background=false,true"}, []string{"match.background=.4+model.background=false", "match.background=.4+model.background=true", "match.background=.5+model.background=false", "match.background=.5+model.background=true"}},
		{[]string{"data.short_sides=[96],[96, 128],[96_128]"}, []string{"short_sides=96-", "short_sides=96_128-", "short_sides=96_128-"}},
		{[]string{"data.root=../a/b,a+b,a b"}, []string{"root=.._a_b-", "a_b-", "a_b-"}},
		{[]string{"model.init=" + long + "," + long + "b"}, []string{strings.Repeat("a", 23) + "-", strings.Repeat("a", 23) + "-"}},
		{[]string{"model.init=***,/"}, []string{"init=-", "init=-"}},
	} {
		got := names(grid(t, k.lists...))
		if len(got) != len(k.want) {
			t.Errorf("%v: %v", k.lists, got)
			continue
		}
		for i, name := range got {
			exact := !strings.HasSuffix(k.want[i], "-")
			if !strings.HasPrefix(name, k.want[i]) || exact && name != k.want[i] || slices.Contains(got[:i], name) {
				t.Errorf("%v: %q, want %q", k.lists, name, k.want[i])
			}
			if strings.ContainsAny(name, `/\,:*?[] `) || strings.HasPrefix(name, ".") {
				t.Errorf("%v: %q is no name of a folder or a pattern", k.lists, name)
			}
		}
	}
	var wide []string
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		wide = append(wide, "model."+key+"="+long+key+","+long)
	}
	all := grid(t, wide...)
	seen := map[string]bool{}
	for _, v := range all {
		if seen[v.Name] || len(v.Name) > maxGridName {
			t.Errorf("%q: twice, or long", v.Name)
		}
		seen[v.Name] = true
	}
	if len(all) != maxVariants {
		t.Errorf("%d variants", len(all))
	}
}

func TestSplitValues(t *testing.T) {
	for list, want := range map[string][]string{
		"a,b":                           {"a", "b"},
		" .5 , 1 ":                      {".5", "1"},
		"[1, 2],[3]":                    {"[1, 2]", "[3]"},
		"none,[light, {name: x, p: 1}]": {"none", "[light, {name: x, p: 1}]"},
		`"a,b",'c,d'`:                   {`"a,b"`, `'c,d'`},
		`["],", ']'],b`:                 {`["],", ']']`, "b"},
		`'it''s, so',b`:                 {`'it''s, so'`, "b"},
		`"a\",b",c`:                     {`"a\",b"`, "c"},
		"it's,b":                        {"it's", "b"},
		"a],b":                          {"a]", "b"},
		`"",a`:                          {`""`, "a"},
		"a=b,c":                         {"a=b", "c"},
	} {
		if got, err := splitValues(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q %v, want %q", list, got, err, want)
		}
	}
}

func TestGridRefuses(t *testing.T) {
	digits := "=0,1,2,3,4,5,6,7,8,9"
	for want, lists := range map[string][]string{
		`"train.lr": want key=value,value`:  {"train.lr"},
		`"=1,2": want key=value,value`:      {"=1,2"},
		"train.lr has one value, .1":        {"train.lr=.1"},
		"train.lr: an empty value":          {"train.lr=.1,"},
		`train.lr has the value ".1" twice`: {"train.lr=.1, .1"},
		"train.lr is given twice":           {"train.lr=.1,.2", "train.lr=.3,.4"},
		"lacks a closing ]":                 {"data.short_sides=[96],[128"},
		"lacks a closing }":                 {"data.train={source: a,b"},
		"c: 1000 variants":                  {"a" + digits, "b=0,1,2,3,4,5,6,7,8,9", "c" + digits},
	} {
		if _, err := Grid(lists); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", lists, err, want)
		}
	}
}

// A grid's sweep that was interrupted goes on to the numbers of one that was not, and one more value trains no finished cell again.
func TestGridSweep(t *testing.T) {
	base := tiny(t)
	base.Train.Epochs, base.Train.Steps, base.Train.EvalEvery = 0, 1, 1
	sweep := func(out string, list string) (*Sweep, *bytes.Buffer) {
		var log bytes.Buffer
		all := grid(t, list)
		return &Sweep{Base: base, Variants: all, Against: all[0].Name, Seeds: 2, Out: out, Log: &log}, &log
	}
	const two = "train.lr=.0005,.001"
	s, _ := sweep(t.TempDir(), two)
	whole, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, _ = sweep(out, two)
	s.Log, s.often = &stopAt{text: "cell 2/4", cancel: cancel}, time.Nanosecond
	if part, err := s.Run(ctx); err != nil || part.Complete || len(part.Cells) != 1 {
		t.Fatalf("interrupted: %+v, %v", part, err)
	}
	s, _ = sweep(out, two)
	again, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := timeless(t, again), timeless(t, whole); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s, log := sweep(out, two+",.002")
	more, err := s.Run(context.Background())
	if err != nil || len(more.Cells) != 6 {
		t.Fatalf("%+v, %v", more, err)
	}
	if text := log.String(); strings.Contains(text, "lr=.0005 seed") || strings.Contains(text, "lr=.001 seed") || !strings.Contains(text, "lr=.002 seed 1") {
		t.Errorf("finished cells are trained again, or new ones are not:\n%s", text)
	}
}

// measured returns results of a grid with the AP of each seed; a negative one is a run that diverged.
func measured(t *testing.T, ap [][]float64, lists ...string) *Results {
	t.Helper()
	r := &Results{Threads: 1, Complete: true, Variants: grid(t, lists...)}
	r.Against = r.Variants[0].Name
	for i := range ap[0] {
		r.Seeds = append(r.Seeds, uint64(i))
	}
	for i, v := range r.Variants {
		for seed, a := range ap[i] {
			row := Row{Variant: v.Name, Seed: uint64(seed), Numbers: &Numbers{AP: a}}
			if a < 0 {
				row.Numbers, row.Diverged = nil, new(int)
			}
			r.Cells = append(r.Cells, Cell{Row: row})
		}
	}
	return r
}

// The baseline is Against even where another variant is better; settings and differences are in one table and in results.json.
func TestGridPage(t *testing.T) {
	r := measured(t, [][]float64{{.3, .31, .32}, {.401, .41, .419}, {.2, .2, -1}, {-1, -1, -1}}, "data.augment=none,light", "train.lr=.1,.2")
	c := r.compare()
	if d := c.of("none+lr=.2"); c.Baseline != "none+lr=.1" || d.N != 3 || !near(d.Mean, .1) || significance(d) != "better" {
		t.Errorf("%+v", c)
	}
	page(t, r, GridExperiment, "none&#43;lr=.2 is better on these data", "Combinations", "data.augment", "minus that of the baseline, none&#43;lr=.1", ">baseline<", ">better<", ">no pair<", "table of combinations")
	html, err := r.Page(GridExperiment, "T").HTML()
	if err != nil || strings.Contains(html, "cross entropy") || strings.Contains(html, "What differs") {
		t.Errorf("the page is one of losses, or has the settings twice: %v", err)
	}
	if md := r.Markdown(); !strings.Contains(md, "AP - none+lr=.1") {
		t.Errorf("%s", md)
	}
	path := filepath.Join(t.TempDir(), "results.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Against  string
		Variants []map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil || got.Against != "none+lr=.1" || len(got.Variants) != 4 {
		t.Fatalf("%v %+v", err, got)
	}
	d := c.of("none+lr=.2")
	for key, want := range map[string]float64{"ap": .41, "ap_half": r.mean("none+lr=.2", apOf).Half, "difference": .1, "difference_half": d.Half, "p": d.P, "p_holm": 2 * d.P, "pairs": 3, "seeds": 3} {
		if v, ok := got.Variants[1][key].(float64); !ok || !near(v, want) {
			t.Errorf("%s is %v, want %g", key, got.Variants[1][key], want)
		}
	}
	if v := got.Variants[0]; v["difference"] != nil || v["ap"] == nil {
		t.Errorf("the baseline: %v", v)
	}
	if v := got.Variants[3]; v["ap"] != nil || v["p"] != nil || v["seeds"] != 0. {
		t.Errorf("a variant whose runs diverged: %v", v)
	}

	page(t, measured(t, [][]float64{{.3}, {.2}}, "train.lr=.1,.2"), GridExperiment, "No variant has a larger mean AP than the baseline, lr=.1")
	page(t, measured(t, [][]float64{{.3}, {.4}}, "train.lr=.1,.2"), GridExperiment, "cannot be said", ">one pair<")
	page(t, measured(t, [][]float64{{-1}, {.4}}, "train.lr=.1,.2"), GridExperiment, "No run of the baseline, lr=.1, ended with a number")
	page(t, measured(t, [][]float64{{.3, -1}, {-1, .4}}, "train.lr=.1,.2"), GridExperiment, "no seed ended with a number in both")
	page(t, measured(t, [][]float64{{.3, .31, .32}, {.1, .4, .8}}, "train.lr=.1,.2"), GridExperiment, "no difference is shown")
}
