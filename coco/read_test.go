package coco

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// small has every key in an odd order, annotations before images, ids from 0 with gaps, and unknown members.
const small = `{
 "type": "instances",
 "annotations": [
  {"bbox": [1, 2.5, 10, 20], "image_id": 7, "id": 3, "category_id": 9, "area": 150.25, "iscrowd": 0, "segmentation": [[1,2,11,2,11,22]], "attributes": {"a": [1, {"b": null}]}},
  {"id": 4.0, "image_id": 0, "category_id": 0, "bbox": [0, 0, 5, 4], "iscrowd": 1, "ignore": true}
 ],
 "categories": [{"id": 9, "name": "caf\u00e9 \"x\"", "supercategory": "place"}, {"id": 0, "name": "zero"}],
 "images": [{"file_name": "a.jpg", "id": 7, "height": 40, "width": 30, "license": 3}, {"id": 0, "file_name": "b.jpg", "width": 8, "height": 6}],
 "info": {"year": 2024}
}`

func read(t testing.TB, text string) *Dataset {
	t.Helper()
	d, err := Read(strings.NewReader(text), "x.json", LoadOptions{Segmentation: true, Extra: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole":     func(r io.Reader) io.Reader { return r },
		"byte wise": iotest.OneByteReader, // every value straddles the window
	} {
		d, err := Read(wrap(strings.NewReader(small)), "x.json", LoadOptions{Segmentation: true, Extra: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := []Annotation{
			{ID: 3, ImageID: 7, CategoryID: 9, BBox: [4]float64{1, 2.5, 10, 20}, Area: 150.25, Segmentation: []byte("[[1,2,11,2,11,22]]"),
				Extra: []byte(`{"attributes":{"a": [1, {"b": null}]}}`)},
			{ID: 4, BBox: [4]float64{0, 0, 5, 4}, Area: 20, IsCrowd: true, Ignore: true, noArea: true},
		}
		for i := range want {
			want[i].offset = int64(strings.Index(small, []string{`{"bbox"`, `{"id": 4.0`}[i]))
		}
		if !reflect.DeepEqual(d.Annotations, want) {
			t.Errorf("%s: annotations\n%+v want\n%+v", name, d.Annotations, want)
		}
		if d.Categories[0].Name != `café "x"` || d.Categories[0].Supercategory != "place" {
			t.Errorf("%s: category %+v", name, d.Categories[0])
		}
		im := d.Images[0]
		if im.ID != 7 || im.FileName != "a.jpg" || im.Width != 30 || im.Height != 40 || string(im.Extra) != `{"license":3}` {
			t.Errorf("%s: image %+v", name, im)
		}
		if string(d.Info) != `{"year": 2024}` || d.Licenses != nil || string(d.Extra) != `{"type":"instances"}` {
			t.Errorf("%s: info %s licenses %s extra %s", name, d.Info, d.Licenses, d.Extra)
		}
	}
	if _, err := Read(strings.NewReader("\xef\xbb\xbf"+small), "x.json", LoadOptions{}); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
	d, err := Read(strings.NewReader(small), "x.json", LoadOptions{})
	if err != nil || d.Annotations[0].Segmentation != nil || d.Annotations[0].Extra != nil || d.Images[0].Extra != nil || d.Extra != nil {
		t.Errorf("the plain load keeps too much: %+v, %v", d, err)
	}
}

func TestMissingAreaAndBox(t *testing.T) {
	t.Parallel()
	d := read(t, `{"images":[{"id":1,"file_name":"a","width":9,"height":9}],"categories":[{"id":1,"name":"c"}],"annotations":[
	 {"id":1,"image_id":1,"category_id":1,"bbox":[0,0,4,3],"segmentation":[[0,0,4,0,0,3]]},
	 {"id":2,"image_id":1,"category_id":1,"bbox":[0,0,4,3],"segmentation":[]},
	 {"id":3,"image_id":1,"category_id":1,"segmentation":{"counts":[10,2,7,2,60],"size":[9,9]}}]}`)
	for i, want := range []float64{6, 12, 4} { // triangle 4*3/2; box 4*3; runs 2+2
		if d.Annotations[i].Area != want {
			t.Errorf("annotation %d: area %v, want %v", i, d.Annotations[i].Area, want)
		}
	}
	// Column-major in 9 rows: pixels 10, 11 are column 1, rows 1-2; pixels 19, 20 are column 2, rows 1-2.
	if got, want := d.Annotations[2].BBox, [4]float64{1, 1, 2, 2}; got != want {
		t.Errorf("bbox from RLE %v, want %v", got, want)
	}
}

// document puts one annotation, image or category into a file.
func document(list, text string) string {
	parts := map[string]string{"images": `{"id":1,"file_name":"a.jpg","width":10,"height":10}`, "categories": `{"id":1,"name":"c"}`,
		"annotations": `{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"area":4}`}
	parts[list] = text
	return `{"images":[` + parts["images"] + `],"annotations":[` + parts["annotations"] + `],"categories":[` + parts["categories"] + `]}`
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "x.json: the file is empty"},
		{"white space", " \n", "ends too soon"},
		{"a list", `[]`, `x.json: starts with '['`},
		{"gzip", "\x1f\x8b", `starts with '\x1f'`},
		{"no lists", `{}`, `has no "images"`},
		{"no annotations", `{"images":[],"categories":[]}`, `has no "annotations"`},
		{"images an object", `{"images":{},"annotations":[],"categories":[]}`, "images at byte 10: want a list of objects, saw the object {}"},
		{"twice", `{"images":[],"images":[],"annotations":[],"categories":[]}`, `the key "images" appears twice`},
		{"truncated", document("annotations", `{"id":1,"image_id":1`)[:80], "at byte 80, in annotations[0]: the JSON ends too soon"},
		{"text behind", document("", "") + "x", "saw 'x' where JSON wants the end"},
		{"trailing comma", document("annotations", `{"id":1,}`), "a key in quotes"},
		{"no colon", document("annotations", `{"id" 1}`), "a colon"},
		{"bad word", document("annotations", `{"id":nul}`), "where JSON wants null"},
		{"bad number", document("annotations", `{"id":01}`), "saw 01 where JSON wants a number"},
		{"bad escape", document("images", `{"id":1,"file_name":"\q"}`), "wrong escape"},
		{"newline in string", document("images", "{\"id\":1,\"file_name\":\"a\nb\"}"), "control character"},
		{"depth", document("info", "") + strings.Repeat("[", 5), "the end of the file"},
		{"too deep", `{"x":` + strings.Repeat("[", 100000), "brackets inside each other"},
		{"item not an object", document("annotations", `5`), "annotations[0] (byte "},
		{"no id", document("annotations", `{"image_id":1,"category_id":1,"bbox":[1,1,2,2]}`), `has no "id"`},
		{"no image_id", document("annotations", `{"id":5,"category_id":1,"bbox":[1,1,2,2]}`), `annotations[0] (id 5, byte 79): has no "image_id"`},
		{"no category_id", document("annotations", `{"id":5,"image_id":1,"bbox":[1,1,2,2]}`), `has no "category_id"`},
		{"no bbox", document("annotations", `{"id":5,"image_id":1,"category_id":1}`), `has no "bbox"`},
		{"id an empty text", document("annotations", `{"id":" ","image_id":1,"category_id":1,"bbox":[1,1,2,2]}`), `id: want an integer, saw an empty text`},
		{"id a fraction", document("annotations", `{"id":5.5,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}`), `id: want an integer, saw 5.5`},
		{"id NaN", document("annotations", `{"id":NaN,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}`), `id: want an integer, saw NaN`},
		{"id null", document("images", `{"id":null,"file_name":"a"}`), `id: want an integer, saw null`},
		{"id too large", document("images", `{"id":99999999999999999999,"file_name":"a"}`), `saw 99999999999999999999`},
		{"three numbers", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2]}`), `bbox: want 4 numbers [x, y, width, height], saw 3`},
		{"five numbers", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2,2]}`), `saw 5`},
		{"bbox a number", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":7}`), `bbox: want 4 numbers [x, y, width, height], saw 7`},
		{"bbox of strings", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":["1 px",1,2,2]}`), `bbox: want a number, saw the string "1 px"`},
		{"iscrowd 2", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"iscrowd":2}`), `iscrowd: want 0 or 1, saw 2`},
		{"iscrowd text", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"iscrowd":"no"}`), `iscrowd: want 0 or 1`},
		{"area a list", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"area":[]}`), `area: want a number, saw the list []`},
		{"segmentation a number", document("annotations", `{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"segmentation":1}`), `segmentation: want polygons`},
		{"file_name a number", document("images", `{"id":1,"file_name":12}`), `images[0] (id 1, byte 11): file_name: want a string, saw 12`},
		{"file_name not UTF-8", document("images", "{\"id\":1,\"file_name\":\"\xff\"}"), `not UTF-8`},
		{"width a fraction", document("images", `{"id":1,"file_name":"a","width":1.5,"height":2}`), `width: want an integer of pixels, saw 1.5`},
		{"width a string", document("images", `{"id":1,"file_name":"a","width":"640 px","height":2}`), `width: want an integer, saw the string "640 px"`},
		{"category name", document("categories", `{"id":1,"name":["c"]}`), `categories[0] (id 1, byte`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text), "x.json", LoadOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.json") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestTruncation cuts a file at every byte: each cut is an error, none a panic.
func TestTruncation(t *testing.T) {
	t.Parallel()
	for i := range len(small) {
		if _, err := Read(strings.NewReader(small[:i]), "x.json", LoadOptions{}); err == nil {
			t.Errorf("cut at byte %d: no error", i)
		}
	}
}

func TestManyErrors(t *testing.T) {
	t.Parallel()
	items := strings.Repeat(`{"id":[],"image_id":1,"category_id":1,"bbox":[1,1,2,2]},`, 50)
	_, err := Read(strings.NewReader(document("annotations", strings.TrimSuffix(items, ","))), "x.json", LoadOptions{})
	if err == nil || strings.Count(err.Error(), "want an integer") != 20 || !strings.HasSuffix(err.Error(), "and 30 more") {
		t.Errorf("got %v, want 20 errors and 30 more", err)
	}
}

func TestReadFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	_, err := Read(io.MultiReader(strings.NewReader(small[:100]), iotest.ErrReader(broken)), "x.json", LoadOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	_, err = Load(filepath.Join(t.TempDir(), "none.json"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("got %v, want a missing file", err)
	}
	if _, err = Load(t.TempDir()); err == nil {
		t.Error("a folder loads")
	}
}

// TestNotFinite reads what Python writes for numbers that JSON does not have; they are faults of their annotation.
func TestNotFinite(t *testing.T) {
	t.Parallel()
	text := document("annotations", `{"id":1,"image_id":1,"category_id":1,"bbox":[NaN,1,2,2],"area":4},
	 {"id":2,"image_id":1,"category_id":1,"bbox":[1,1,Infinity,2],"area":4},
	 {"id":3,"image_id":1,"category_id":1,"bbox":[1,-Infinity,2,2],"area":4},
	 {"id":4,"image_id":1,"category_id":1,"bbox":[1,null,2,2],"area":4},
	 {"id":5,"image_id":1,"category_id":1,"bbox":[1,"nan",2,2],"area":4},
	 {"id":6,"image_id":1,"category_id":1,"bbox":[1,1e999,2,2],"area":4},
	 {"id":7,"image_id":1,"category_id":1,"bbox":null,"area":4},
	 {"id":8,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"area":NaN,"score":NaN},
	 {"id":9,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"area":4,"segmentation":[[1,1,NaN,1,3,3]]}`)
	d := read(t, text)
	if !math.IsNaN(d.Annotations[0].BBox[0]) || !math.IsInf(d.Annotations[1].BBox[2], 1) || !math.IsInf(d.Annotations[2].BBox[1], -1) {
		t.Errorf("boxes %v", d.Annotations)
	}
	if got := string(d.Annotations[7].Extra); got != `{"score":null}` {
		t.Errorf("kept member %s, want null for NaN", got)
	}
	if got := string(d.Annotations[8].Segmentation); got != `[[1,1,null,1,3,3]]` {
		t.Errorf("kept segmentation %s, want null for NaN", got)
	}
	problems := d.Check()
	for i, p := range problems[:9] {
		kind := NonFinite
		if i == 8 {
			kind = BadSegmentation
		}
		if p.Kind != kind || p.Offset != d.Annotations[i].offset || p.Offset == 0 {
			t.Errorf("problem %d: %+v, want %s", i, p, kind)
		}
	}
	if _, err := d.Index(); err == nil || !strings.Contains(err.Error(), "not finite") {
		t.Errorf("Index of boxes that are not finite: %v", err)
	}
	for mode, want := range map[Mode]int{Clip: 2, Drop: 0} {
		fixed, report := d.Fix(mode)
		if len(fixed.Annotations) != want || len(report.Changes) != 9 || report.Left != nil {
			t.Errorf("mode %d: %d annotations, want %d\n%s", mode, len(fixed.Annotations), want, report)
		}
		path := filepath.Join(t.TempDir(), "fixed.json")
		if err := fixed.Save(path); err != nil {
			t.Error(err)
		}
	}
	if err := d.Save(filepath.Join(t.TempDir(), "x.json")); err == nil || !strings.Contains(err.Error(), "id 1,") {
		t.Errorf("numbers that are not finite were saved: %v", err)
	}
}

func TestLoadMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 40 MB")
	}
	path := filepath.Join(t.TempDir(), "big.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	mask := "[[" + strings.Repeat("123.45,", 99) + "6]]"
	io.WriteString(f, `{"images":[{"id":1,"file_name":"a","width":640,"height":480}],"categories":[{"id":1,"name":"c"}],"annotations":[`)
	const n = 50000
	for i := range n {
		if i > 0 {
			io.WriteString(f, ",")
		}
		io.WriteString(f, `{"segmentation":`+mask+`,"id":`+string(appendFloat(nil, float64(i+1)))+`,"image_id":1,"category_id":1,"bbox":[1.5,2.5,3,4],"area":12,"iscrowd":0}`)
	}
	if _, err := io.WriteString(f, "]}"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var d *Dataset
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if d, err = Load(path); err != nil {
				b.Fatal(err)
			}
		}
	})
	if len(d.Annotations) != n {
		t.Fatalf("%d annotations, want %d", len(d.Annotations), n)
	}
	// All that is ever allocated, garbage of the growing list included, must stay near what is kept.
	if got := r.AllocedBytesPerOp(); got > n*1500 {
		t.Errorf("loading allocates %d bytes, %d an annotation", got, got/n)
	}
	t.Logf("%v, %d bytes an annotation", r, r.AllocedBytesPerOp()/n)
}
