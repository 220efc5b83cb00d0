package output

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retinago/box"
	"retinago/coco"
	"retinago/detector"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
)

func detection(name string, id int64, x, y, w, h, score float32) infer.Detection {
	return infer.Detection{Box: box.FromXYWH(x, y, w, h), Class: int(id) - 1, Category: detector.Category{ID: id, Name: name}, Score: score}
}

// results are an image, a frame and two that are broken.
func results() []infer.Result {
	size := data.Size{W: 40, H: 20}
	clip := &source.Video{Rate: 10}
	tracked := detection("a, b", 2, 1.5, 2, 8, 4, .25)
	tracked.Track = 7
	return []infer.Result{
		{Frame: source.Frame{Path: "in/a.jpg", Name: "in/a.jpg"}, Size: size, Found: []infer.Detection{detection("cat", 1, 10, 5, 20, 10, .75), tracked}},
		{Frame: source.Frame{Index: 1, Path: "v.mp4", Name: "v.mp4", Video: clip, Count: 12, Time: 1200 * time.Millisecond}, Size: size, Found: []infer.Detection{tracked}},
		{Frame: source.Frame{Index: 2, Path: "x.jpg", Name: "x.jpg"}, Broken: errors.New("x.jpg: it is cut")},
		{Frame: source.Frame{Index: 3, Path: "in/a.png", Name: "in/a.png"}, Size: size},
	}
}

func write(t *testing.T, w Writer) {
	t.Helper()
	for _, r := range results() {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLines(t *testing.T) {
	const want = `{"source":"in/a.jpg","width":40,"height":20,"objects":[{"class":"cat","category_id":1,"score":0.75,"bbox":[10,5,20,10]},{"class":"a, b","category_id":2,"score":0.25,"bbox":[1.5,2,8,4],"track":7}]}
{"source":"v.mp4","frame":12,"time":1.2,"width":40,"height":20,"objects":[{"class":"a, b","category_id":2,"score":0.25,"bbox":[1.5,2,8,4],"track":7}]}
{"source":"x.jpg","objects":[],"error":"x.jpg: it is cut"}
{"source":"in/a.png","width":40,"height":20,"objects":[]}
`
	path := filepath.Join(t.TempDir(), "a.jsonl")
	l, err := NewLines(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(results()[0]); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); !strings.HasPrefix(want, string(b)) || len(b) == 0 {
		t.Errorf("while it is written: %q", b)
	}
	var out bytes.Buffer
	if l, err = NewLines("-", &out); err != nil {
		t.Fatal(err)
	}
	write(t, l)
	if out.String() != want {
		t.Errorf("lines\n%s", out.String())
	}
	if _, err := NewLines(filepath.Join(t.TempDir(), "absent", "a"), nil); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("no folder: %v", err)
	}
}

func TestCSV(t *testing.T) {
	const want = `source,frame,time,class,category_id,score,x1,y1,x2,y2,track
in/a.jpg,,,cat,1,0.75,10,5,30,15,
in/a.jpg,,,"a, b",2,0.25,1.5,2,9.5,6,7
v.mp4,12,1.200,"a, b",2,0.25,1.5,2,9.5,6,7
`
	var out bytes.Buffer
	c, err := NewCSV("-", &out)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c)
	if out.String() != want {
		t.Errorf("rows\n%s", out.String())
	}
}

func TestCOCO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	number := func(r infer.Result) (int64, error) { return int64(r.Index + 1), nil }
	write(t, NewCOCO(path, number))
	found, err := coco.LoadResults(path)
	if err != nil || len(found) != 3 {
		t.Fatal(len(found), err)
	}
	if want := (coco.Detection{ImageID: 1, CategoryID: 1, BBox: [4]float64{10, 5, 20, 10}, Score: .75}); found[0] != want {
		t.Errorf("%+v, want %+v", found[0], want)
	}
	if found[2].ImageID != 2 {
		t.Errorf("%+v", found[2])
	}
	unknown := errors.New("no such image")
	c := NewCOCO(path, func(infer.Result) (int64, error) { return 0, unknown })
	if err := c.Write(results()[0]); !errors.Is(err, unknown) {
		t.Errorf("%v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	// A folder that is not there ends writing, and no call waits forever.
	c = NewCOCO(filepath.Join(t.TempDir(), "absent", "a.json"), number)
	<-c.done
	if err := c.Write(results()[0]); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("%v", err)
	}
	if err := c.Close(); err == nil {
		t.Error("no error at the end")
	}
}

func TestYOLO(t *testing.T) {
	dir := t.TempDir()
	write(t, NewYOLO(to(dir)))
	for name, want := range map[string]string{
		"in/a.txt":     "0 0.500000 0.500000 0.500000 0.500000\n1 0.137500 0.200000 0.200000 0.200000\n",
		"v_000012.txt": "1 0.137500 0.200000 0.200000 0.200000\n",
		"in/a_2.txt":   "", // a.png beside a.jpg
	} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x.txt")); err == nil {
		t.Error("a file of a broken picture")
	}
}

func TestCrops(t *testing.T) {
	dir := t.TempDir()
	pic := picture.New(40, 20)
	for y := range 20 {
		for x := range 40 {
			pic.Set(x, y, 200, 100, 50)
		}
	}
	r := results()[0]
	r.Found = append(r.Found, detection("../up", 3, -5, -5, 10, 10, .5), detection("cat", 1, 60, 5, 3, 3, .5), detection("cat", 1, 5, 5, 0, 0, .5))
	if err := NewCrops(to(dir), nil).Write(r, pic); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string][2]int{"cat/in/a_1.jpg": {20, 10}, "a, b/in/a_2.jpg": {9, 4}, ".._up/in/a_3.jpg": {5, 5}} {
		p, err := picture.Decode(filepath.Join(dir, name))
		if err != nil || p.W != size[0] || p.H != size[1] {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, _ := filepath.Glob(filepath.Join(dir, "*", "in", "*")); len(n) != 3 {
		t.Errorf("crops %v", n)
	}
	for class, want := range map[string]string{"..": "_..", "a/b\\c": "a_b_c", "": "_", "person": "person"} {
		if got := folder(class); got != want {
			t.Errorf("%q: folder %q, want %q", class, got, want)
		}
	}
}
