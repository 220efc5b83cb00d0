package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/weights"
)

// narrow is a small network for some classes.
func narrow(classes []string, background bool, change func(*config.Model)) config.Model {
	c := config.Default().Model
	c.Backbone, c.BackboneWidth, c.Norm, c.FrozenStages, c.FPNWidth, c.HeadDepth, c.Classes, c.Background = "resnet18", 8, "batch", 0, 8, 1, classes, background
	if change != nil {
		change(&c)
	}
	return c
}

// values reads a parameter.
func values(t *testing.T, m *detector.Model, name string) []float32 {
	t.Helper()
	p := m.Param(name)
	out := make([]float32, p.Size())
	if err := m.Engine().Download(out, p.Value); err != nil {
		t.Fatal(err)
	}
	return out
}

// Rows of the class layer follow the names of the classes; those of classes that the file does not have are as in a new model.
func TestRowsByName(t *testing.T) {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	words := func(s string) []string { return strings.Split(s, " ") }
	for _, k := range []struct {
		name, then, now      string
		backThen, back       bool
		change               func(*config.Model)
		says                 string
		anew                 bool // the whole layer
		file                 string
		notSaid, anotherSays string
	}{
		{name: "the same", then: "red blue", now: "red blue", says: "red, blue take their rows", notSaid: "start anew"},
		{name: "turned around", then: "red blue", now: "blue red", says: "blue, red take their rows"},
		{name: "in a circle", then: "a b c", now: "b c a", says: "b, c, a take their rows"},
		{name: "fewer", then: "a b c", now: "c a", says: "c, a take their rows", anotherSays: "b are of the file alone"},
		{name: "more", then: "a b", now: "a x b y", says: "a, b take their rows", anotherSays: "x, y start anew"},
		{name: "as many others", then: "a b", now: "b x", says: "b take their rows", anotherSays: "x start anew; a are of the file"},
		{name: "none in common", then: "a b", now: "x y", says: "x, y start anew; a, b are of the file", notSaid: "take their rows"},
		{name: "other case", then: "Cat dog", now: "cat dog", says: "dog take their rows", anotherSays: "cat start anew"},
		{name: "one of many", then: "a b c d e f g h", now: "h", says: "h take their rows"},
		{name: "many of one", then: "a", now: "b c d a", says: "a take their rows", anotherSays: "b, c, d start anew"},
		{name: "letters of many alphabets", then: "猫 собака", now: "собака 猫", says: "собака, 猫 take their rows"},
		{name: "a background in both", then: "a b", now: "b a", backThen: true, back: true, says: "b, a take their rows"},
		{name: "a background in the file", then: "a b", now: "b a", backThen: true, says: "b, a take their rows"},
		{name: "a background in the model", then: "a b", now: "b a", back: true, says: "b, a take their rows"},
		{name: "a background that makes as many logits", then: "a b", now: "a b c", backThen: true, says: "a, b take their rows"},
		{name: "other anchors", then: "a b", now: "b a", change: func(c *config.Model) { c.Anchors.Ratios = []float64{1} }, anew: true, says: "of another shape", notSaid: "by name"},
	} {
		t.Run(k.name, func(t *testing.T) {
			then := narrow(words(k.then), k.backThen, nil)
			old, err := detector.New(then, e, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			path := filepath.Join(t.TempDir(), "old.safetensors")
			c := config.Default()
			c.Model = then
			if k.backThen {
				c.Loss.Kind = "softmax"
			}
			if err := old.Save(path, detector.Info{Config: c, Categories: categories(c)}); err != nil {
				t.Fatal(err)
			}
			c.Model = narrow(words(k.now), k.back, k.change)
			fresh, err := detector.New(c.Model, e, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			m, err := detector.New(c.Model, e, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			var log bytes.Buffer
			if err := start(m, path, c, &log); err != nil {
				t.Fatal(err)
			}
			if out := log.String(); !strings.Contains(out, k.says) || !strings.Contains(out, k.anotherSays) || k.notSaid != "" && strings.Contains(out, k.notSaid) {
				t.Errorf("want %q and %q, not %q:\n%s", k.says, k.anotherSays, k.notSaid, out)
			}
			extra := func(b bool) int {
				if b {
					return 1
				}
				return 0
			}
			before, now := then.Classes, c.Model.Classes
			nb, nn := len(before)+extra(k.backThen), len(now)+extra(k.back)
			for _, part := range []string{"weight", "bias"} {
				of, was, is := values(t, old, classLayer+part), values(t, fresh, classLayer+part), values(t, m, classLayer+part)
				anchors := m.Param(classLayer + part).Shape[0] / nn
				row := len(is) / anchors / nn
				for a := range anchors {
					for i := range nn {
						at := (a*nn + i) * row
						want := was[at:][:row]
						from := -1
						if i < len(now) {
							from = slices.Index(before, now[i])
						} else if k.backThen {
							from = len(before)
						}
						if from >= 0 && !k.anew {
							want = of[(a*nb+from)*row:][:row]
						}
						if !slices.Equal(is[at:][:row], want) {
							t.Fatalf("%s of anchor %d, logit %d: not the row of the file's logit %d", part, a, i, from)
						}
					}
				}
			}
			if body := detector.BackbonePrefix + "conv1.weight"; !slices.Equal(values(t, m, body), values(t, old, body)) {
				t.Error("the backbone is not the file's")
			}
		})
	}
}

// A file without names gives its rows in their order, with a warning.
func TestRowsWithoutNames(t *testing.T) {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model = narrow([]string{"a", "b"}, false, nil)
	m, err := detector.New(c.Model, e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var specs []weights.Spec
	for _, p := range m.Params() {
		specs = append(specs, weights.Spec{Name: p.Name, Shape: p.Shape})
	}
	path := filepath.Join(t.TempDir(), "plain.safetensors")
	if err := weights.WriteFrom(path, nil, specs, func(i int, dst []float32) error { return m.Engine().Download(dst, m.Params()[i].Value) }); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := start(m, path, c, &log); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "names no classes") || !strings.Contains(log.String(), "in their order, for a, b") {
		t.Error(log.String())
	}
}

// A run whose classes came into another order is not resumed: the rows of its class layer would get other names.
func TestResumeOfOtherOrder(t *testing.T) {
	c := least(t)
	f := started(t, &c)
	for name, change := range map[string]func(*config.Config){
		"names of two categories": func(c *config.Config) {
			for _, set := range []*config.Set{&c.Data.Train, &c.Data.Val} {
				b, err := os.ReadFile(c.Data.Path(set.Source))
				if err != nil {
					t.Fatal(err)
				}
				text := strings.NewReplacer(`"circle"`, `"square"`, `"square"`, `"circle"`).Replace(string(b))
				set.Source = "turned-" + set.Source
				if err := os.WriteFile(c.Data.Path(set.Source), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		},
		"a list of classes": func(c *config.Config) {
			c.Model.Classes = []string{"square", "circle", "triangle", "star"}
		},
	} {
		changed := c
		change(&changed)
		err := Run(context.Background(), changed, Options{Out: f.write(t), Resume: true, Changed: true, Log: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "square") || !strings.Contains(err.Error(), "circle") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "names of two categories" && !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
