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
		document("annotations", `{"id":1,"image_id":1,"category_id":1,"segmentation":[[1,2,3,4,5,6]]},{"id":1,"image_id":1,"category_id":2,"bbox":[9,9,9,9]}`),
		document("annotations", `{"id":0,"image_id":1,"category_id":1,"bbox":[-1e308,-1e308,2e308,1e-320],"area":-0.0,"iscrowd":1,"segmentation":{"counts":[1,2,6],"size":[3,3]}}`),
		document("annotations", `{"id":9223372036854775807,"image_id":1,"category_id":1,"bbox":[0,0,1e5,9e9],"segmentation":[[NaN,2,null,4,5,6]]},{"id":9223372036854775807,"image_id":1,"category_id":1,"bbox":[0,0,1,1]}`),
		document("annotations", `{"id":1,"image_id":1,"category_id":1,"segmentation":{"counts":"ooooooooooooo1","size":[99999,99999]},"x":{"a":[[[["\u0000\ud800"]]]]}}`),
		document("images", `{"id":1,"file_name":"../../x\u001b[2J\u202e\u0000.png","width":null,"height":NaN,"a":Infinity}`),
		document("categories", `{"id":1,"name":"=cmd|' /C calc'!A0","supercategory":"<script>"},{"id":1.0,"name":""},{"id":1e0}`),
		`{"images":[{}],"annotations":[1,"",null,[],{"id":"x"}],"categories":{}}`, "\xef\xbb\xbf" + small, `{"a":"\q"}`, `{"a":"\u12"}`, `{"a":1,"a":2,"a":` + strings.Repeat("[", 600),
		`{"images":[{"id":1e400,"width":1e10}],"annotations":[],"categories":[{"id":-9223372036854775808}]}`} {
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
	for _, s := range []string{`[{"image_id":1,"category_id":2,"bbox":[1,2,3,4],"score":0.5}]`, "[]", "[NaN]", `[{"score":Infinity}]`, `{"a":[]}`, "[", `[{"image_id":1e18,"category_id":-1,"bbox":[-0.0,1e308,1e-320,0],"score":-1e308}]`,
		`[{"image_id":1,"category_id":2,"bbox":[1,2,3,4,5],"score":"nan"},[],{}]`, `[{"segmentation":{"counts":"` + strings.Repeat("o", 100) + `"},"image_id":1,"category_id":2,"bbox":[1,2,3,4],"score":0.5}]`} {
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
