package interop

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/detector"
	"retinago/internal/model/weights"
)

// named is a file with names of classes beside its tensors.
type named struct {
	weights.Source
	names []string
	ids   []int64
}

func (n named) Classes() ([]string, []int64) { return n.names, n.ids }

// Names and ids of classes are the given ones, else the file's, else numbers from 1.
func TestClasses(t *testing.T) {
	e := newEngine(t)
	_, ts := foreign(t, e, 3, nil)
	path := filepath.Join(t.TempDir(), "foreign.safetensors")
	if err := weights.Write(path, nil, ts); err != nil {
		t.Fatal(err)
	}
	s, err := weights.OpenAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	three := []string{"cat", "dog", "bird"}
	for name, k := range map[string]struct {
		file named
		o    Options
		want []detector.Category
		note string
	}{
		"the file's":               {named{names: three}, Options{}, []detector.Category{{ID: 1, Name: "cat"}, {ID: 2, Name: "dog"}, {ID: 3, Name: "bird"}}, "are the file's"},
		"the file's with ids":      {named{names: three, ids: []int64{17, 18, 16}}, Options{}, []detector.Category{{ID: 17, Name: "cat"}, {ID: 18, Name: "dog"}, {ID: 16, Name: "bird"}}, "are the file's"},
		"other ids":                {named{names: three, ids: []int64{17, 18, 16}}, Options{IDs: []int64{5, 6, 0}}, []detector.Category{{ID: 5, Name: "cat"}, {ID: 6, Name: "dog"}, {ID: 0, Name: "bird"}}, ""},
		"given":                    {named{names: three}, Options{Classes: []string{"x", "y", "z"}}, []detector.Category{{ID: 1, Name: "x"}, {ID: 2, Name: "y"}, {ID: 3, Name: "z"}}, ""},
		"given, with a background": {named{}, Options{Classes: []string{"x", "y"}}, []detector.Category{{ID: 1, Name: "x"}, {ID: 2, Name: "y"}}, "the first is the background"},
		"a file's background":      {named{names: three[:2]}, Options{}, []detector.Category{{ID: 1, Name: "cat"}, {ID: 2, Name: "dog"}}, "the first is the background"},
		"another number of names":  {named{names: append(three, "cow")}, Options{}, []detector.Category{{ID: 1, Name: "class 0"}, {ID: 2, Name: "class 1"}, {ID: 3, Name: "class 2"}}, "names 4 classes for 3 logits"},
		"none":                     {named{}, Options{}, []detector.Category{{ID: 1, Name: "class 0"}, {ID: 2, Name: "class 1"}, {ID: 3, Name: "class 2"}}, "numbered from 1"},
	} {
		k.file.Source = s
		m, err := Import(k.file, k.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ids []int64
		for _, c := range m.Categories {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(m.Categories, k.want) || !slices.Equal(ids, m.Config.Model.CategoryIDs) || !strings.Contains(strings.Join(m.Notes, "\n"), k.note) {
			t.Errorf("%s: %v, %v, %q", name, m.Categories, m.Config.Model.CategoryIDs, m.Notes)
		}
	}
	for want, o := range map[string]Options{
		"2 category ids for 3 classes":     {IDs: []int64{1, 2}},
		"the category id 7 is given twice": {IDs: []int64{7, 8, 7}},
		"5 names of classes for 3 logits":  {Classes: []string{"a", "b", "c", "d", "e"}},
	} {
		if _, err := Import(named{Source: s}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %q", o, err, want)
		}
	}
}
