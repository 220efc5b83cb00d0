package coco

import (
	"fmt"
	"strings"
	"testing"
)

// Numbers that are written as texts are read, and texts as ids stand for numbers that are the same in all files.
func TestTextNumbers(t *testing.T) {
	t.Parallel()
	const plain = `{"images":[{"id":1,"file_name":"a","width":40,"height":30}],"categories":[{"id":2,"name":"c"}],` +
		`"annotations":[{"id":3,"image_id":1,"category_id":2,"bbox":[1,2,3,4.5],"area":9,"iscrowd":1}]}`
	want := read(t, plain)
	for _, k := range []struct{ from, to string }{
		{`"id":1,`, `"id":"1",`}, {`"id":1,`, `"id":" 1 ",`}, {`"image_id":1`, `"image_id":"1"`}, {`"category_id":2`, `"category_id":"2"`}, {`"id":3`, `"id":"3"`},
		{`"width":40`, `"width":"40"`}, {`"width":40`, `"width":"40.0"`}, {`"height":30`, `"height":" 30"`}, {`[1,2,3,4.5]`, `["1","2","3","4.5"]`},
		{`[1,2,3,4.5]`, `[1,2,"3.0",4.5]`}, {`"area":9`, `"area":"9"`}, {`"iscrowd":1`, `"iscrowd":"1"`}, {`"iscrowd":1`, `"iscrowd":"true"`},
	} {
		d := read(t, strings.Replace(plain, k.from, k.to, 1))
		if got, want := fmt.Sprint(withoutPlaces(d)), fmt.Sprint(withoutPlaces(want)); got != want {
			t.Errorf("%s: %s, want %s", k.to, got, want)
		}
		problems := d.Check()
		if len(problems) != 1 || problems[0].Kind != TextNumber || problems[0].Severity != Info {
			t.Errorf("%s: %v", k.to, problems)
		}
		fixed, _ := d.Fix(Clip)
		if again := fixed.Check(); len(again) > 0 {
			t.Errorf("%s: after fix %v", k.to, again)
		}
	}
	if d := read(t, strings.Replace(plain, `"iscrowd":1`, `"iscrowd":null`, 1)); d.Annotations[0].IsCrowd || len(d.Check()) > 0 {
		t.Errorf("iscrowd null: %v", d.Check())
	}

	d := read(t, strings.NewReplacer(`"id":1,`, `"id":"img_001",`, `"image_id":1`, `"image_id":"img_001"`).Replace(plain))
	id := d.Images[0].ID
	if id < 1<<52 || id >= 1<<53 || d.Annotations[0].ImageID != id {
		t.Errorf("ids %d and %d", id, d.Annotations[0].ImageID)
	}
	if problems := d.Check(); len(problems) != 1 || problems[0].Kind != TextID {
		t.Errorf("%v", problems)
	}
	dets, err := ReadResults(strings.NewReader(`[{"image_id":"img_001","category_id":"2","bbox":["1",2,3,4.5],"score":".5"}]`), "r.json")
	if err != nil || len(dets) != 1 || dets[0].ImageID != id || dets[0].Score != .5 {
		t.Errorf("%v, %v", dets, err)
	}
	if other := nameID([]byte("img_002")); other == id {
		t.Error("two names have one id")
	}
}

// withoutPlaces is what a dataset says, without where it stands in its file.
func withoutPlaces(d *Dataset) (out []any) {
	for _, im := range d.Images {
		im.offset = 0
		out = append(out, im)
	}
	for _, c := range d.Categories {
		c.offset = 0
		out = append(out, c)
	}
	for _, a := range d.Annotations {
		a.offset = 0
		out = append(out, a)
	}
	return out
}
