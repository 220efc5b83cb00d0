package recipe

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/coco"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/train"
)

// reason returns the reasons of choices whose name begins with a text.
func reason(r *Recipe, what string) string {
	var out []string
	for _, c := range r.Choices {
		if strings.HasPrefix(c.What, what) {
			out = append(out, c.Why)
		}
	}
	return strings.Join(out, "\n")
}

// named makes a recipe of few steps.
func named(t *testing.T, from convert.Source, r Request) *Recipe {
	t.Helper()
	r.Train, r.Init, r.Batch, r.Epochs = from, NoInit, 2, 1
	out, err := Make(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The recipe small-objects crops unscaled windows before all other policies, on canvases of a tile's size, measures at the end, has
// anchors for the objects' own pixels, and trains.
func TestSmallObjects(t *testing.T) {
	dir := t.TempDir()
	if err := data.Shapes(dir, data.ShapesOptions{Train: 12, Val: 1, Size: 256, MinSize: 8, MaxSize: 14}); err != nil {
		t.Fatal(err)
	}
	from := convert.Source{Path: filepath.Join(dir, "train.json"), Images: filepath.Join(dir, "train")}
	r := named(t, from, Request{Recipe: "small-objects", Size: 64})
	c := r.Config
	switch {
	case !slices.Equal(c.Data.ShortSides, []int{64}) || c.Data.MaxSide != 64:
		t.Errorf("short sides %v, long side %d", c.Data.ShortSides, c.Data.MaxSide)
	case c.Data.Augment[0].Name != "crop" || c.Data.Augment[0].Settings["size"] != 64 || c.Data.Augment[1].Name != "light":
		t.Errorf("policies %v", c.Data.Augment)
	case c.Train.EvalEvery != 0:
		t.Errorf("measured every %d steps", c.Train.EvalEvery)
	case !c.Model.P2 || len(c.Model.Anchors.Sizes) != 6 || c.Model.Anchors.Sizes[0] > 8.5:
		t.Errorf("anchors of %v px for objects of 8 to 14", c.Model.Anchors.Sizes)
	case !strings.Contains(reason(r, "afterwards"), "-tile 64"):
		t.Errorf("no word of tiles:\n%s", r.Text())
	}
	if err := train.Run(t.Context(), c, train.Options{Out: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
}

// The recipe long-tail repeats images with rare classes, pastes objects, and counts the longer epochs.
func TestLongTail(t *testing.T) {
	from := tailed(t)
	r := named(t, from, Request{Recipe: "long-tail", Size: 64})
	c := r.Config
	if c.Data.Sampler != "repeat_factor" || len(c.Data.Augment) != 2 || c.Data.Augment[1].Name != "copy_paste" {
		t.Errorf("sampler %s, policies %v", c.Data.Sampler, c.Data.Augment)
	}
	// One class is in all 34 images, the other in one, and the median of both shares is the larger.
	if c.Data.RepeatThreshold != 1 {
		t.Errorf("threshold %g, want 1", c.Data.RepeatThreshold)
	}
	if want := (34 + 6 - 1) / 2; c.Train.EvalEvery != want {
		t.Errorf("%d steps in an epoch, want %d: one of 34 images comes sqrt(34) times", c.Train.EvalEvery, want)
	}
	if err := train.Run(t.Context(), c, train.Options{Out: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
}

// tailed is a dataset of 40 images, of which 6 are held out: all have a circle, and one a star too.
func tailed(t *testing.T) convert.Source {
	t.Helper()
	from, _ := shapes(t, 40)
	d, _, err := from.Open()
	if err != nil {
		t.Fatal(err)
	}
	d.Categories = []coco.Category{{ID: 1, Name: "circle"}, {ID: 2, Name: "star"}}
	d.Annotations = nil
	for _, im := range d.Images {
		d.Annotations = append(d.Annotations, object(len(d.Annotations), im.ID, 1))
	}
	// The image of the star must stay in the training part.
	d.Annotations = append(d.Annotations, object(len(d.Annotations), d.Images[0].ID, 2))
	if err := d.Save(from.Path); err != nil {
		t.Fatal(err)
	}
	return from
}

func object(id int, image, category int64) coco.Annotation {
	return coco.Annotation{ID: int64(id + 1), ImageID: image, CategoryID: category, BBox: [4]float64{10, 10, 30, 30}, Area: 900}
}

// many-classes leaves the narrowest network out, and takes longer.
func TestManyClasses(t *testing.T) {
	from, _ := shapes(t, 12)
	r := named(t, from, Request{Recipe: "many-classes", Size: 64})
	if m := r.Config.Model; m.FPNWidth < 128 || m.HeadDepth < 4 {
		t.Errorf("pyramid of %d channels, heads of %d layers", m.FPNWidth, m.HeadDepth)
	}
	kind, err := Find("many-classes")
	if err != nil {
		t.Fatal(err)
	}
	m := maker{kind: kind}
	if m.time() != 2*cpuTime || m.fewest() != 24 {
		t.Errorf("%v, at least %d epochs", m.time(), m.fewest())
	}
	if m.Time = time.Minute; m.time() != time.Minute {
		t.Errorf("%v where a minute is asked for", m.time())
	}
}

// The recipe gpu is refused without a GPU; what it sets needs none to be looked at.
func TestGPU(t *testing.T) {
	from, _ := shapes(t, 12)
	r := Request{Train: from, Recipe: "gpu", Init: NoInit}
	_, err := Make(t.Context(), r)
	if err == nil || !strings.Contains(err.Error(), "-device cuda:0") {
		t.Errorf("on a CPU: %v", err)
	}
	if c := Check(t.Context(), r, nil); c == nil || c.Error() != err.Error() {
		t.Errorf("Check: %v", c)
	}
	r.Device = "cuda:0"
	m := &maker{Request: r, out: &Recipe{}, look: look{pictures: 1000}}
	if err := m.find(); err != nil {
		t.Fatal(err)
	}
	if err := m.base(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := m.out.Config
	if c.Train.Batch != 32 || c.Train.EMA <= 0 || c.Data.Augment[0].Name != "lsj" || m.time() != 3*gpuTime || m.fewest() != 50 {
		t.Errorf("batch %d, average %g, policies %v, %v, at least %d epochs", c.Train.Batch, c.Train.EMA, c.Data.Augment, m.time(), m.fewest())
	}
}

// The average of the weights is over a twentieth of the run, whatever its length.
func TestAverage(t *testing.T) {
	kind, err := Find("gpu")
	if err != nil {
		t.Fatal(err)
	}
	from, _ := shapes(t, 12)
	d, err := data.OpenFor(t.Context(), from, data.Run{})
	if err != nil {
		t.Fatal(err)
	}
	for epochs, want := range map[int]struct {
		ema    float64
		warmup int
	}{1: {.9, 1}, 100: {.98, 50}, 1000: {.998, 500}, 100000: {.9998, 50000}} {
		m := &maker{Request: Request{Epochs: epochs}, kind: kind, train: d, length: 40, took: time.Second, out: &Recipe{}}
		m.out.Config.Train.Batch = 4
		if err := m.schedule(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := m.out.Config.Train; math.Abs(c.EMA-want.ema) > 1e-9 || c.EMAWarmup != want.warmup {
			t.Errorf("%d epochs of 10 steps: %g after %d steps, want %g after %d", epochs, c.EMA, c.EMAWarmup, want.ema, want.warmup)
		}
	}
}

// Without a name the default is taken and another recipe suggested where the dataset asks for it.
func TestSuggestion(t *testing.T) {
	even := look{classes: 3, short: 480, side: 60, mostObjects: 200, leastObjects: 10, frequent: "a", scarce: "b"}
	for want, change := range map[string]func(l *look) bool{
		"":              func(*look) bool { return false },
		"small-objects": func(l *look) bool { l.short, l.side = 640, 31; return false },
		"long-tail":     func(l *look) bool { l.mostObjects = 201; return true },
		"many-classes":  func(l *look) bool { l.classes = 20; return false },
		"gpu":           func(*look) bool { return true },
	} {
		l := even
		gpu := change(&l)
		if got, why := l.suggestion(gpu); got != want || (why == "") != (want == "") {
			t.Errorf("%q because %q, want %q", got, why, want)
		}
	}
	// Small objects on small images stay as they are: these are scaled up.
	l := even
	if l.side = 10; l.short >= largeImage {
		t.Fatal("the images are large")
	}
	if got, _ := l.suggestion(false); got != "" {
		t.Errorf("%s for small images", got)
	}
	from := tailed(t)
	r := named(t, from, Request{Size: 64})
	if got := reason(r, "suggestion"); !strings.Contains(got, "-recipe long-tail") || !strings.Contains(got, `"star" has 1`) {
		t.Errorf("%s", r.Text())
	}
	if r.Config.Data.Sampler != "uniform" || !strings.Contains(reason(r, "recipe few-images"), "none was asked for") {
		t.Errorf("a suggestion changes the configuration, or the recipe is not named:\n%s", r.Text())
	}
	if _, err := Make(t.Context(), Request{Train: from, Recipe: "fast"}); err == nil || !strings.Contains(err.Error(), "few-images, small-objects") {
		t.Errorf("an unknown recipe: %v", err)
	}
}

// Every recipe has words for the documentation, and a preset and policies that exist.
func TestKinds(t *testing.T) {
	for _, k := range Kinds {
		m := &maker{kind: k, out: &Recipe{}}
		if err := m.augment(); err != nil || k.Text == "" || k.Changes == "" {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}
