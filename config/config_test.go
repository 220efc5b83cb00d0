package config

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
}

// Every field must have a key, or it would be silently lost in a checkpoint.
func TestEveryFieldHasAKey(t *testing.T) {
	for _, p := range paths(reflect.TypeFor[Config](), "") {
		if strings.HasSuffix(p, ".") || strings.Contains(p, "..") || strings.ToLower(p) != p {
			t.Errorf("bad key %q", p)
		}
	}
	if n := len(paths(reflect.TypeFor[Config](), "")); n < 60 {
		t.Errorf("only %d settings found", n)
	}
}

func TestTextReadsBack(t *testing.T) {
	c := Default()
	c.Model.Classes = []string{"no", "null", "007", "a: b", "", "ключ", "it's", "~", " padded "}
	c.Model.Classes[4] = "#"
	c.Model.CategoryIDs = []int64{1, 2, 3, 90, -5, 1 << 60, 7, 8, 9}
	c.Data.Root = "C:\\x y"
	c.Train.Seed = math.MaxUint64
	c.Train.LR = 1e-30
	c.Data.Train.Source = "null"
	got, err := Parse("test", []byte(c.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, c)
	}
	c.Data.Workers = got.Data.Workers
	if !reflect.DeepEqual(got.String(), c.String()) || !slices.Equal(got.Model.Classes, c.Model.Classes) ||
		!slices.Equal(got.Model.CategoryIDs, c.Model.CategoryIDs) || got.Train.Seed != c.Train.Seed || got.Data.Root != c.Data.Root {
		t.Errorf("got\n%s\nwant\n%s", got, c)
	}
}

func TestLoadLaysInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := "train:\n  lr: 0.5\n  epochs: 3\ndata:\n  short_sides: [320]\n  max_side: 416\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, []string{"train.lr=.25", "data.short_sides=[96, 128]", "model.classes=[a, b]", "data.root=/x=y", "train.nesterov=true", "data.val.source="})
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.LR != .25 || c.Train.Epochs != 3 || c.Train.Steps != 0 || c.Data.MaxSide != 416 || c.Data.Root != "/x=y" ||
		!slices.Equal(c.Data.ShortSides, []int{96, 128}) || !slices.Equal(c.Model.Classes, []string{"a", "b"}) || !c.Train.Nesterov {
		t.Errorf("got\n%s", c)
	}
	if c.Data.TestSide() != 128 {
		t.Errorf("test side %d, want the last", c.Data.TestSide())
	}
	// The length given last wins.
	if c, err = Load(path, []string{"train.steps=50"}); err != nil || c.Train.Steps != 50 || c.Train.Epochs != 0 {
		t.Errorf("steps %d, epochs %d, %v", c.Train.Steps, c.Train.Epochs, err)
	}
}

func TestBadFiles(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"typo", "train:\n  lr: 1\n  epoch: 3\n", []string{"f.yaml:3:", "unknown key train.epoch; did you mean train.epochs?"}},
		{"wrong group", "train:\n  batch: 8\nmodel:\n  batch: 9\n", []string{"f.yaml:4:", "model.batch", "did you mean train.batch?"}},
		{"top level", "lr: 1\n", []string{"f.yaml:1:", "unknown key lr; did you mean train.lr?"}},
		{"nothing like it", "infer:\n  zzzzzzzz: 1\n", []string{"unknown key infer.zzzzzzzz; infer has score, method, nms, top_k, max_detections"}},
		{"merge key", "x: &a {lr: 1}\ntrain:\n  <<: *a\n", []string{"unknown key x", "unknown key train.<<"}},
		{"twice", "train:\n  lr: 1\n  lr: 2\n", []string{"f.yaml:3:", "train.lr", "twice"}},
		{"text for number", "train:\n  lr: fast\n", []string{`f.yaml:2: train.lr is "fast", want a number`}},
		{"fraction for count", "train:\n  batch: 2.5\n", []string{`f.yaml:2: train.batch is "2.5", want a whole number`}},
		{"negative seed", "train:\n  seed: -1\n", []string{`train.seed is "-1", want a whole number, 0 or more`}},
		{"number for list", "data:\n  short_sides: 320\n", []string{`data.short_sides is "320", want a list of a whole number, such as [1, 2, 3]`}},
		{"list for number", "train:\n  lr: [1]\n", []string{"train.lr is a list, want a number"}},
		{"bad element", "model:\n  anchors:\n    ratios: [1, x]\n", []string{`f.yaml:3: model.anchors.ratios[1] is "x"`}},
		{"short array", "data:\n  mean: [1, 1]\n", []string{"data.mean has 2 values, want 3"}},
		{"empty value", "train:\n  lr:\n", []string{"train.lr is empty"}},
		{"empty group", "train:\n", []string{"train is empty, it holds keys: batch"}},
		{"list at the top", "- 1\n", []string{"the file is a list, it holds keys: model, data"}},
		{"not YAML", "train: [1\n", []string{"f.yaml: not YAML"}},
		{"second document", "train: {lr: 1}\n---\ntrain: {lr: 2}\n", []string{"second YAML document"}},
		{"several", "train:\n  lr: x\n  batch: y\n", []string{"train.lr", "train.batch"}},
		{"overflow", "train:\n  batch: 99999999999999999999\n", []string{"train.batch"}},
		{"not a number", "train:\n  lr: .nan\n", []string{"f.yaml: train.lr is NaN, want a finite number above 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tt.text))
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
}

func TestEmptyFilesChangeNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n"} {
		c, err := Parse("f.yaml", []byte(text))
		if err != nil || c.String() != Default().String() {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBadOverrides(t *testing.T) {
	for set, want := range map[string]string{
		"train.lr":             "want key=value",
		"=3":                   "want key=value",
		"train.lrr=1":          "did you mean train.lr?",
		"train.lr.x=1":         "train.lr has no keys below it",
		"train=1":              `train is "1", it holds keys`,
		"train.lr=":            "train.lr is empty, want a number",
		"train.lr=[":           "not YAML",
		"train.batch=two":      `train.batch is "two", want a whole number`,
		"model.classes=a":      "want a list of text, such as [cat, dog]",
		"model.backbone=vgg16": `model.backbone is "vgg16", want one of resnet18`,
	} {
		_, err := Load("", []string{set})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("-set %s: %v, want %q", set, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("missing file: %v", err)
	}
}

func TestValidateTellsAll(t *testing.T) {
	c := Default()
	c.Model.Prior = 0
	c.Model.Classes = []string{"a", "a", " "}
	c.Model.CategoryIDs = []int64{1, 1}
	c.Model.Anchors.Strides = []int{4, 8, 16, 32, 64}
	c.Model.Anchors.Sizes = []float64{32, 64}
	c.Data.ShortSides = []int{2000}
	c.Data.CanvasMultiple = 100
	c.Data.Classes, c.Data.Rename = []string{"a", ""}, []string{"a=b", "car", "=b"}
	c.Data.Std[1] = 0
	c.Match.Background = .6
	c.Train.Milestones = []float64{.5, .5, 60000}
	c.Train.Epochs = 3
	c.Train.EMA = 1
	c.Infer.Score = 1
	err := c.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range []string{
		"model.prior is 0", `model.classes[1] is "a"`, "model.classes[2]", "model.category_ids is [1 1]", "model.category_ids[1]",
		"model.anchors.strides is [4 8 16 32 64], want [8 16 32 64 128]", "model.anchors.sizes is [32 64], want 5 values",
		"data.short_sides[0] is 2000, want at most data.max_side (1333)", "data.canvas_multiple is 100", "data.std[1] is 0",
		`data.classes[1] is "", want a name`, `data.rename[1] is "car", want OLD=NEW`, `data.rename[2] is "=b"`,
		"match.background is 0.6, want 0 to match.foreground (0.5)", "train.milestones[1]", "train.milestones[2] is 60000",
		"train.epochs is 3", "train.ema is 1", "infer.score is 1",
	} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("lacks %q:\n%v", w, err)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	c := Default()
	c.Model.Anchors.Scales = make([]float64, 50)
	if err := c.Validate(); !strings.Contains(err.Error(), "and 30 more") {
		t.Errorf("got %v", err)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	c := Default()
	for _, c.Train.LR = range []float64{.1, .2} {
		if err := c.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Load(path, nil)
	if err != nil || got.String() != c.String() {
		t.Errorf("%v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left %v behind", files)
	}
	if err := c.Save(filepath.Join(dir, "no", "config.yaml")); err == nil {
		t.Error("saved into a folder that is not there")
	}
}

func TestScale(t *testing.T) {
	if s := (Train{Batch: 2, BaseBatch: 16}).Scale(); s != .125 {
		t.Errorf("got %v", s)
	}
}

func TestPath(t *testing.T) {
	d := Data{Root: "r"}
	for in, want := range map[string]string{"a/b": filepath.Join("r", "a", "b"), "/a": "/a", "": ""} {
		if got := d.Path(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// The recipes of the repository.
func TestRecipes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "configs", "*.yaml"))
	bench, benchErr := filepath.Glob(filepath.Join("..", "configs", "bench", "*.yaml"))
	if err != nil || benchErr != nil || len(files) < 3 || len(bench) < 4 {
		t.Fatalf("found %v, %v, %v, %v", files, bench, err, benchErr)
	}
	for _, f := range append(files, bench...) {
		c, err := Load(f, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if c.Data.Train.Source == "" || c.Data.Val.Source == "" {
			t.Errorf("%s names no data", f)
		}
		if w := c.Warnings(); w != nil {
			t.Errorf("%s draws %q", f, w)
		}
	}
}

func TestSet(t *testing.T) {
	c := Default()
	if err := c.Set([]string{"train.lr=.5", "train.epochs=3"}); err != nil || c.Train.LR != .5 || c.Train.Epochs != 3 || c.Train.Steps != 0 {
		t.Errorf("lr %g, %d epochs, %d steps, %v", c.Train.LR, c.Train.Epochs, c.Train.Steps, err)
	}
	for _, bad := range []string{"train.lr", "train.speed=1", "train.lr=-1"} {
		if err := c.Set([]string{bad}); err == nil {
			t.Errorf("-set %s was taken", bad)
		}
	}
}
