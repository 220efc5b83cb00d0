package infer

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/data"
)

// named are categories with ids from first on.
func named(first int64, names ...string) (out []coco.Category) {
	for i, n := range names {
		out = append(out, coco.Category{ID: first + int64(i), Name: n})
	}
	return out
}

// Classes are matched by their names, whatever their order and ids.
func TestMatchClasses(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = strings.Repeat("n", i+1)
	}
	for name, k := range map[string]struct {
		model                      []string
		data                       []coco.Category
		common, modelOnly, dataOny []string
		says                       string
	}{
		"the same":             {[]string{"a", "b"}, named(1, "a", "b"), []string{"a", "b"}, nil, nil, ""},
		"other ids":            {[]string{"a", "b"}, named(70, "a", "b"), []string{"a", "b"}, nil, nil, ""},
		"another order":        {[]string{"b", "a"}, named(1, "a", "b"), []string{"b", "a"}, nil, nil, ""},
		"id 0":                 {[]string{"a", "b"}, named(0, "b", "a"), []string{"a", "b"}, nil, nil, ""},
		"a subset":             {[]string{"a", "b", "c"}, named(1, "b"), []string{"b"}, []string{"a", "c"}, nil, "not looked for, since the dataset does not have them: a, c"},
		"one more":             {[]string{"a"}, named(1, "a", "x"), []string{"a"}, nil, []string{"x"}, "not measured, since the model does not know them: x"},
		"overlap":              {[]string{"a", "b"}, named(1, "b", "c"), []string{"b"}, []string{"a"}, []string{"c"}, "1 are measured"},
		"one in common":        {[]string{"a", "b", "c", "d"}, named(1, "x", "d", "y"), []string{"d"}, []string{"a", "b", "c"}, []string{"x", "y"}, "d"},
		"other case":           {[]string{"Cat", "dog"}, named(1, "cat", "dog"), []string{"dog"}, []string{"Cat"}, []string{"cat"}, "Cat"},
		"letters of any kind":  {[]string{"猫"}, named(1, "собака", "猫"), []string{"猫"}, nil, []string{"собака"}, "собака"},
		"a long list":          {many, named(1, "n"), []string{"n"}, many[1:], nil, "and 79 more"},
		"unnamed and unnamed":  {[]string{"category 7"}, named(1, "category 7"), []string{"category 7"}, nil, nil, ""},
		"a model of one class": {[]string{"person"}, named(1, "bicycle", "person", "car"), []string{"person"}, nil, []string{"bicycle", "car"}, "bicycle, car"},
	} {
		m, err := MatchClasses(k.model, k.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(m.Common, k.common) || !slices.Equal(m.ModelOnly, k.modelOnly) || !slices.Equal(m.DatasetOnly, k.dataOny) {
			t.Errorf("%s: %+v", name, m)
		}
		if out := m.String(); !strings.Contains(out, k.says) || k.says == "" && out != "" || strings.ContainsAny(out, "{}") {
			t.Errorf("%s: %q, want %q", name, out, k.says)
		}
		if m.Renamed() != (len(k.modelOnly) > 0 && len(k.modelOnly) == len(k.dataOny)) {
			t.Errorf("%s: renamed is %v", name, m.Renamed())
		}
		for i, n := range k.model {
			at := slices.IndexFunc(k.data, func(c coco.Category) bool { return c.Name == n })
			if m.in[i] != (at >= 0) || at >= 0 && m.ids[i] != k.data[at].ID {
				t.Errorf("%s: class %s has the id %d", name, n, m.ids[i])
			}
		}
	}
	m, err := MatchClasses([]string{"class 0", "class 1"}, named(7, "a", "b"))
	if err != nil || !m.InOrder || !m.Same() || !slices.Equal(m.ids, []int64{7, 8}) || !m.in[1] || !strings.Contains(m.String(), "in their order: a, b") {
		t.Errorf("a model without names: %+v, %v", m, err)
	}
	if m, err = MatchClasses([]string{"class 0", "class 1"}, named(7, "class 1", "class 0")); err != nil || m.InOrder || !slices.Equal(m.ids, []int64{8, 7}) {
		t.Errorf("a dataset with such names: %+v, %v", m, err)
	}
	if m, err = MatchClasses([]string{"class 0", "dog"}, named(7, "cat", "dog")); err != nil || m.InOrder || !slices.Equal(m.Common, []string{"dog"}) {
		t.Errorf("a model with one name: %+v, %v", m, err)
	}
	if _, err := MatchClasses([]string{"class 0", "class 1"}, named(1, "a", "b", "c")); err == nil || !strings.Contains(err.Error(), "class 0, class 1") || !strings.Contains(err.Error(), "a, b, c") || strings.ContainsAny(err.Error(), "{}") {
		t.Errorf("nothing in common: %v", err)
	}
}

// What a model finds of the classes that it shares with a dataset is what it finds on the dataset of its own classes, with the dataset's ids;
// numbers of these classes are the same.
func TestEvaluateByName(t *testing.T) {
	p := load(t, low(), func(m *config.Model) { m.FPNWidth, m.HeadNorm = 32, "group" })
	d := several(t)
	c := p.Info().Config
	c.Infer.Score, c.Infer.MaxDetections = .001, 100_000 // one class's detections do not displace another's
	c.Infer.TopK = 100_000
	for i := range d.Len() {
		for k := range 4 {
			id := int64(4*i + k + 1)
			d.COCO().Annotations = append(d.COCO().Annotations, coco.Annotation{ID: id, ImageID: d.Image(i).ID, CategoryID: []int64{1, 2, 4, 7}[k],
				BBox: [4]float64{float64(10 * k), 5, 40, 40}, Area: 1600})
		}
	}
	whole, err := Evaluate(context.Background(), p.Model(), c, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := coco.Evaluate(d.COCO(), whole.Detections, coco.Params{})
	if err != nil {
		t.Fatal(err)
	}
	other := *d.COCO() // star and circle, an unknown class between them, and other ids
	other.Categories = []coco.Category{{ID: 30, Name: "star"}, {ID: 31, Name: "hexagon"}, {ID: 32, Name: "circle"}}
	to := map[int64]int64{7: 30, 2: 31, 1: 32}
	other.Annotations = nil
	for _, a := range d.COCO().Annotations {
		if id, ok := to[a.CategoryID]; ok {
			a.CategoryID = id
			other.Annotations = append(other.Annotations, a)
		}
	}
	part, err := data.New(&other, filepath.Dir(d.File(0)))
	if err != nil {
		t.Fatal(err)
	}
	classes, err := MatchClasses(c.Model.Classes, part.Categories())
	if err != nil {
		t.Fatal(err)
	}
	ev, err := Evaluate(context.Background(), p.Model(), c, part, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := map[int64]int{}
	for _, x := range whole.Detections {
		count[to[x.CategoryID]]++
	}
	for _, x := range ev.Detections {
		count[x.CategoryID]--
	}
	if count[30] != 0 || count[32] != 0 || len(ev.Detections) == 0 {
		t.Errorf("more or fewer detections by id: %v", count)
	}
	r, err := coco.Evaluate(classes.Measured(part.COCO()), ev.Detections, coco.Params{})
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string][2]int64{"circle": {1, 32}, "star": {7, 30}} {
		if a, b := ap(t, all, id[0]), ap(t, r, id[1]); a != b || a <= 0 {
			t.Errorf("AP of %s: %v, on its own %v", name, b, a)
		}
	}
	if len(r.Classes) != 2 {
		t.Errorf("%d categories are measured", len(r.Classes))
	}
}

// ap is the AP of a category.
func ap(t *testing.T, r *coco.Result, id int64) float64 {
	t.Helper()
	for _, c := range r.Classes {
		if c.ID == id {
			return c.AP
		}
	}
	t.Fatalf("no category %d in %v", id, r.Classes)
	return 0
}
