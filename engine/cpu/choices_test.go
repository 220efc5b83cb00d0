package cpu

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/engine"
)

func TestParseAlgorithm(t *testing.T) {
	for a := Fixed; a <= Winograd; a++ {
		if got, err := ParseAlgorithm(a.String()); got != a || err != nil {
			t.Errorf("%v is read as %v, %v", a, got, err)
		}
	}
	if _, err := ParseAlgorithm("fast"); err == nil || !strings.Contains(err.Error(), "measured") {
		t.Errorf("fast: %v", err)
	}
}

// The faster is taken, and near each other the rule's.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		oneDNN, own float64
		rule, want  bool
	}{{1, .89, false, true}, {1, .91, false, false}, {1, .91, true, true}, {.91, 1, true, true}, {.89, 1, true, false}, {.89, 1, false, false}} {
		if got := decide(c.oneDNN, c.own, c.rule); got != c.want {
			t.Errorf("%+v: own %v", c, got)
		}
	}
}

// Kernels are really timed.
func TestTime(t *testing.T) {
	e, err := New(Options{Threads: 1, Algorithm: Measured})
	must(t, err)
	defer e.Close()
	for p := forward; p <= byWeights; p++ {
		oneDNN, own, err := e.time(p, &conv{n: 1, c: 16, h: 16, w: 16, k: 16, r: 3, s: 3, oh: 16, ow: 16, stride: 1, pad: 1, groups: 1})
		must(t, err)
		for _, k := range []timing{oneDNN, own} {
			if !(k.least > 0 && k.median >= k.least) {
				t.Errorf("%s: %+v", passes[p], k)
			}
		}
	}
}

// convolve computes one small convolution, forward and by its weights.
func convolve(t *testing.T, e *Engine) {
	t.Helper()
	x, w, y := put(t, e, nil, 1, 16, 16, 16), put(t, e, nil, 16, 16, 3, 3), put(t, e, nil, 1, 16, 16, 16)
	defer e.Release(x, w, y)
	p := engine.ConvParams{Stride: 1, Pad: 1}
	must(t, e.Conv(y, x, w, nil, nil, nil, p))
	must(t, e.ConvWeights(w, y, x, nil, p))
}

// What was measured is kept in a file that people can read, and the next engine takes it from there, whatever it says.
func TestChoicesFile(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "not", "there", "yet"))
	noise := 1.1
	open := func(warn func(error)) *Engine {
		e, err := New(Options{Threads: 1, Algorithm: Measured, Warn: warn})
		must(t, err)
		e.timer = func(pass, *conv) (oneDNN, own timing, err error) { return timing{2, 2}, timing{1, noise}, nil }
		t.Cleanup(func() { e.Close() })
		return e
	}
	quiet := func(err error) { t.Errorf("warned: %v", err) }
	noise = 1.5
	first := open(quiet)
	convolve(t, first)
	path := first.Choices()
	if _, err := os.Stat(path); len(first.choices.known) > 0 || len(first.choices.unsure) != 2 || err == nil {
		t.Errorf("unsteady measurements make %v, file %v", first.choices.known, err)
	}
	noise = 1.1
	convolve(t, open(quiet))
	if filepath.Dir(path) != ChoicesDir() {
		t.Errorf("%s is not in %s", path, ChoicesDir())
	}
	var f contents
	read := func() {
		t.Helper()
		b, err := os.ReadFile(path)
		must(t, err)
		f = contents{}
		must(t, json.Unmarshal(b, &f))
	}
	read()
	want := []shape{{"forward", 1, 16, 16, 16, 16, 3, 1, 1}, {"weights", 1, 16, 16, 16, 16, 3, 1, 1}}
	if len(f.Choices) != 2 || f.Choices[0].shape != want[0] || f.Choices[1].shape != want[1] {
		t.Fatalf("the file has %+v, want %v", f.Choices, want)
	}
	if f.Machine.Threads != 1 || f.Machine.OneDNN == "" || f.Choices[0].OwnMS != 1000 || f.Choices[0].OneDNNMS != 2000 {
		t.Errorf("the file has %+v", f)
	}

	turned := f.Choices[0]
	turned.Own = !turned.Own
	f.Choices[0] = turned
	b, err := json.Marshal(f)
	must(t, err)
	must(t, os.WriteFile(path, b, 0o644))
	second := open(quiet)
	if len(second.choices.known) != 2 {
		t.Errorf("%d choices are read", len(second.choices.known))
	}
	convolve(t, second)
	if second.choices.known[want[0]].Own != turned.Own {
		t.Error("a shape of the file was measured again")
	}

	for what, text := range map[string]string{"broken": "{", "another machine's": `{"machine":{"cpu":"Z80"},"choices":[]}`} {
		must(t, os.WriteFile(path, []byte(text), 0o644))
		var warnings []string
		e := open(func(err error) { warnings = append(warnings, err.Error()) })
		convolve(t, e)
		if len(warnings) != 1 || !strings.Contains(warnings[0], path) {
			t.Errorf("%s file: warnings %q", what, warnings)
		}
		if read(); len(f.Choices) != 2 || f.Machine != e.choices.machine {
			t.Errorf("%s file is not written anew: %+v", what, f)
		}
	}
}

// Two processes that measure at once lose nothing of each other; a folder that cannot be made costs one warning.
func TestChoicesShared(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	a, b := newChoices(3, nil), newChoices(3, nil)
	for i, c := range []*choices{a, b} {
		k := shape{"forward", 1 + i, 2, 3, 4, 5, 3, 1, 1}
		c.known[k] = choice{shape: k, Own: true, OwnMS: 1, OneDNNMS: 2}
		must(t, c.write())
	}
	c := newChoices(3, nil)
	if len(c.known) != 2 || !maps.Equal(c.known, b.known) {
		t.Errorf("%v, want %v", c.known, b.known)
	}

	blocked := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(blocked, nil, 0o644))
	t.Setenv("XDG_CACHE_HOME", blocked)
	warnings := 0
	e, err := New(Options{Threads: 1, Algorithm: Measured, Warn: func(error) { warnings++ }})
	must(t, err)
	defer e.Close()
	e.timer = func(pass, *conv) (oneDNN, own timing, err error) { return timing{2, 2}, timing{1, 1}, nil }
	convolve(t, e)
	if warnings == 0 || warnings > 2 || e.Choices() != "" {
		t.Errorf("%d warnings, file %q", warnings, e.Choices())
	}
}
