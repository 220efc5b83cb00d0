package coco

import (
	"strings"
	"testing"
)

// One item that cannot be read is left out and named; the others stay, and what is not JSON is an error as before.
func TestLeaveOut(t *testing.T) {
	t.Parallel()
	const good = `{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"area":4}`
	const image, category = `{"id":1,"file_name":"a","width":9,"height":9}`, `{"id":1,"name":"c"}`
	file := func(images, annotations string) string {
		return `{"images":[` + images + `],"annotations":[` + annotations + `],"categories":[` + category + `]}`
	}
	for name, k := range map[string]struct {
		text, item, seen string
		images, boxes    int
	}{
		"nothing":                 {file(image, good), "", "", 1, 1},
		"no bbox":                 {file(image, good+`,{"id":5,"image_id":1,"category_id":1}`), "annotations[1] (id 5", `has no "bbox"`, 1, 1},
		"no id":                   {file(image, `{"image_id":1},`+good), "annotations[0] (byte", `has no "id"`, 1, 1},
		"no image_id":             {file(image, `{"id":5,"category_id":1,"bbox":[1,1,2,2]},`+good), "(id 5", `has no "image_id"`, 1, 1},
		"no category_id":          {file(image, `{"id":5,"image_id":1,"bbox":[1,1,2,2]},`+good), "(id 5", `has no "category_id"`, 1, 1},
		"three numbers":           {file(image, good+`,{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2]}`), "(id 5", "saw 3", 1, 1},
		"a point":                 {file(image, good+`,{"id":5,"image_id":1,"category_id":1,"bbox":{"x":1,"y":2}}`), "(id 5", "saw the object", 1, 1},
		"words for a box":         {file(image, good+`,{"id":5,"image_id":1,"category_id":1,"bbox":["1 px",1,2,2]}`), "(id 5", `"1 px"`, 1, 1},
		"iscrowd 2":               {file(image, good+`,{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"iscrowd":2}`), "(id 5", "iscrowd", 1, 1},
		"an id with a fraction":   {file(image, good+`,{"id":5.5,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}`), "annotations[1]", "saw 5.5", 1, 1},
		"null for an annotation":  {file(image, good+`,null`), "annotations[1] (byte", "want an object", 1, 1},
		"a number for an image":   {file(image+`,7`, good), "images[1] (byte", "want an object", 1, 1},
		"a width of words":        {file(image+`,{"id":2,"file_name":"b","width":"9 px","height":9}`, good), "images[1] (id 2", `"9 px"`, 1, 1},
		"a name that is a number": {file(image+`,{"id":2,"file_name":7}`, good), "images[1] (id 2", "want a string, saw 7", 1, 1},
	} {
		d, err := Read(strings.NewReader(k.text), "x.json", LoadOptions{LeaveOut: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(d.Images) != k.images || len(d.Annotations) != k.boxes {
			t.Errorf("%s: %d images, %d boxes", name, len(d.Images), len(d.Annotations))
		}
		if k.item == "" {
			if len(d.Dropped) > 0 {
				t.Errorf("%s: %v", name, d.Dropped)
			}
			continue
		}
		if len(d.Dropped) != 1 || d.Dropped[0].Kind != Unreadable || !strings.Contains(d.Dropped[0].Item, k.item) || !strings.Contains(d.Dropped[0].Seen, k.seen) {
			t.Errorf("%s: %v, want %q and %q", name, d.Dropped, k.item, k.seen)
		}
		if _, err := Read(strings.NewReader(k.text), "x.json", LoadOptions{}); err == nil {
			t.Errorf("%s: without LeaveOut it is read", name)
		}
		fixed, report := d.Fix(Clip)
		if len(fixed.Dropped) > 0 || !strings.Contains(report.String(), "left out: ") {
			t.Errorf("%s: %s", name, report)
		}
	}
	// The boxes of an image go with it, but not where another has its id.
	lost := `{"id":2,"file_name":7},` + image
	box2 := strings.ReplaceAll(strings.Replace(good, `"id":1`, `"id":2`, 1), `"image_id":1`, `"image_id":2`)
	d, err := Read(strings.NewReader(file(lost, good+","+box2)), "x.json", LoadOptions{LeaveOut: true})
	if err != nil || len(d.Annotations) != 1 || len(d.Dropped) != 2 || !strings.Contains(d.Dropped[1].Seen, "its image 2 cannot be read") {
		t.Errorf("%v, %v", d, err)
	}
	d, err = Read(strings.NewReader(file(lost+`,{"id":2,"file_name":"b"}`, good+","+box2)), "x.json", LoadOptions{LeaveOut: true})
	if err != nil || len(d.Annotations) != 2 || len(d.Dropped) != 1 {
		t.Errorf("%v, %v", d, err)
	}
	// Many are counted; classes are not left out, and neither is what is no JSON.
	d, err = Read(strings.NewReader(file(image, good+strings.Repeat(`,{"id":"x"}`, 120))), "x.json", LoadOptions{LeaveOut: true})
	if err != nil || len(d.Dropped) != keptOfKind || d.Dropped[keptOfKind-1].More != 70 {
		t.Errorf("%d are listed, %v", len(d.Dropped), err)
	}
	for _, text := range []string{file(image, good)[:90], strings.Replace(file(image, good), `"name":"c"`, `"name":[]`, 1), strings.Replace(file(image, good), category, "7", 1), file(image, `{"id":}`)} {
		if _, err := Read(strings.NewReader(text), "x.json", LoadOptions{LeaveOut: true}); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
