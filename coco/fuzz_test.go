package coco

import (
	"strings"
	"testing"
)

// FuzzLoad feeds any text through everything that takes a dataset; nothing may panic, what loads must be fixable, and
// what is fixed must be saved and load again.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{small, "", "{}", "[", `{"images":[{"id":1}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[NaN,0,-Infinity,"nan"]}],"categories":[{"id":1}]}`,
		document("annotations", `{"id":1,"image_id":1,"category_id":1,"bbox":[1e308,1,1e308,2],"segmentation":{"counts":"52203","size":[3,3]}}`),
		document("annotations", `{"id":1,"image_id":1,"category_id":1,"segmentation":[[1,2,3,4,5,6]]},{"id":1,"image_id":1,"category_id":2,"bbox":[9,9,9,9]}`)} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read(strings.NewReader(text), "x.json", LoadOptions{Segmentation: true, Extra: true})
		if err != nil {
			return
		}
		_ = Summary(d.Check()) + d.Stats().String()
		for _, a := range d.Annotations {
			if s, err := ParseSegmentation(a.Segmentation); err == nil {
				s.Area()
				s.BBox()
			}
		}
		for _, mode := range []Mode{Clip, Drop} {
			fixed, report := d.Fix(mode)
			_ = report.String()
			x, err := fixed.Index()
			if err != nil && len(fixed.Categories) > 0 {
				t.Fatalf("mode %d: what Fix gives cannot be indexed: %v", mode, err)
			}
			if err == nil {
				dets := make([]Detection, 0, len(fixed.Annotations))
				for _, a := range fixed.Annotations {
					dets = append(dets, Detection{a.ImageID, a.CategoryID, a.BBox, .5})
				}
				r, err := Evaluate(fixed, dets, Params{})
				if err != nil || len(r.Classes) != len(x.Names) {
					t.Fatalf("Evaluate: %v", err)
				}
			}
			path := dir + "/fixed.json"
			if err := fixed.Save(path); err != nil {
				t.Fatalf("mode %d: Save: %v", mode, err)
			}
			if _, err := Load(path); err != nil {
				t.Fatalf("mode %d: what Save wrote does not load: %v", mode, err)
			}
		}
	})
}

func FuzzLoadResults(f *testing.F) {
	for _, s := range []string{`[{"image_id":1,"category_id":2,"bbox":[1,2,3,4],"score":0.5}]`, "[]", "[NaN]", `[{"score":Infinity}]`, `{"a":[]}`, "["} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		dets, err := ReadResults(strings.NewReader(text), "r.json")
		if err != nil {
			return
		}
		if err := SaveResults(dir+"/r.json", dets); err != nil {
			t.Fatal(err)
		}
		again, err := LoadResults(dir + "/r.json")
		if err != nil || len(again) != len(dets) {
			t.Fatalf("%d detections, want %d: %v", len(again), len(dets), err)
		}
	})
}
