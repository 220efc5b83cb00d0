package coco

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// peak is the most memory of the heap while f runs, in bytes above that before.
func peak(f func()) int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	f()
	close(done)
	<-ended
	return int64(most - before)
}

// repeated is head, and then part until there are so many MB, and tail.
func repeated(head, part, tail string, size int) io.Reader {
	size *= 1_000_000
	return io.MultiReader(strings.NewReader(head), &loop{part, 0, size / len(part) * len(part)}, strings.NewReader(tail))
}

type loop struct {
	part     string
	at, left int
}

func (l *loop) Read(b []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), l.left)], l.part[l.at:])
	l.at, l.left = (l.at+n)%len(l.part), l.left-n
	return n, nil
}

// A file that is all fault takes little memory, whatever the faults are: here 15 MB where items are kept, 4 MB where none are.
func TestHostileMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes for each case")
	}
	const MB = 1 << 20
	images, annotations, categories := `{"images":[`, `{"categories":[{"id":1}],"images":[{"id":1}],"annotations":[`, `{"categories":[`
	for _, k := range []struct {
		name             string
		head, part, tail string
		results          bool
		fault            string // in the error; empty where the text loads
		most             int64
	}{
		{"annotations without anything", annotations, "{},", "{}]}", false, "more", 12 * MB},
		{"images without anything", images, "{},", "{}]}", false, "more", 12 * MB},
		{"categories that are strings", categories, `"",`, `""]}`, false, "more", 12 * MB},
		{"results without anything", "[", "{},", "{}]", true, "more", 12 * MB},
		{"results that are numbers", "[", "1,", "1]", true, "more", 12 * MB},
		{"a file of spaces", "", "    ", "", false, "truncated", 12 * MB},
		{"zeros", "", "\x00", "", false, `starts with '\x00'`, 12 * MB},
		{"brackets", annotations, "[", "", false, "brackets inside each other", 12 * MB},
		{"a name", `{"images":[{"id":1,"file_name":"`, "xxxxxxxx", `"}]}`, false, "string of more than", 12 * MB},
		{"a key", `{"`, "xxxxxxxx", `":0}`, false, "string of more than", 12 * MB},
		{"an escaped name", `{"images":[{"id":1,"file_name":"`, `\u0041`, `"}]}`, false, "string of more than", 12 * MB},
		{"a string that is not read", `{"images":[],"annotations":[],"categories":[],"x":"`, `x\n\u0041`, `"}`, false, "", 12 * MB},
		{"a list for a number", `{"images":[{"id":[`, "1,", `1]}]}`, false, "saw the list [1,1", 12 * MB},
		{"a string for a number", `{"images":[{"width":"`, "1234", `"}]}`, false, `saw a string of more than`, 12 * MB},
		{"a string for an id", `{"images":[{"id":"`, "1234", `"}]}`, false, `saw a string of more than`, 12 * MB},
		{"a list of numbers that are not finite", `{"images":[{"id":[`, "NaN,", `1]}]}`, false, "saw the list [NaN,NaN", 12 * MB},
		{"a number", `{"images":[{"id":`, "1111", `}]}`, false, "number of more than", 12 * MB},
		{"a box", annotations + `{"id":1,"image_id":1,"category_id":1,"bbox":[`, "1,", "1]}]}", false, "bbox: want 4 numbers", 12 * MB},
		{"members of the whole", "{", `"a":0,`, `"images":[],"annotations":[],"categories":[]}`, false, "twice", 12 * MB},
		{"a polygon", annotations + `{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,1,1],"segmentation":[[`, "1,", "1]]}]}", false, "", 60 * MB},
		{"annotations with every fault", annotations, `{"id":1,"image_id":9,"category_id":9,"bbox":[0,0,-1,NaN]},`, `{"id":1,"image_id":9,"category_id":9,"bbox":[0,0,0,0]}]}`, false, "", 150 * MB},
		{"images with every fault", images, `{"id":1,"width":-1},`, `{"id":1}],"annotations":[],"categories":[]}`, false, "", 220 * MB}, // 750,000 that are kept,
	} {
		begin := time.Now()
		got := peak(func() {
			size := 4
			if k.fault == "" {
				size = 15
			}
			r := repeated(k.head, k.part, k.tail, size)
			var d *Dataset
			var err error
			if k.results {
				_, err = ReadResults(r, "r.json")
			} else {
				d, err = Read(r, "x.json", LoadOptions{})
			}
			if k.fault != "" {
				if err == nil || !strings.Contains(err.Error(), k.fault) || len(err.Error()) > 10_000 {
					t.Errorf("%s: %.300v, want %q", k.name, err, k.fault)
				}
				return
			}
			if err != nil {
				t.Errorf("%s: %v", k.name, err)
				return
			}
			problems := d.Check()
			faults, _, _ := CountProblems(problems)
			n := 0
			for p := range d.Problems() {
				if p.Severity == Error {
					n++
				}
			}
			if faults != n || len(problems) > 20*keptOfKind {
				t.Errorf("%s: %d problems are listed for %d errors, there are %d", k.name, len(problems), faults, n)
			}
			_, report := d.Fix(Clip)
			if len(report.Changes) > 20*keptOfKind || len(report.Left) > 20*keptOfKind || len(report.String()) > 20_000 {
				t.Errorf("%s: %d changes, %d left", k.name, len(report.Changes), len(report.Left))
			}
			if _, err := d.Index(); err != nil && len(err.Error()) > 10_000 {
				t.Errorf("%s: %.300v", k.name, err)
			}
		})
		t.Logf("%s: %d MB, %v", k.name, got/MB, time.Since(begin).Round(time.Millisecond))
		if got > k.most {
			t.Errorf("%s: %d MB of heap, want %d at most", k.name, got/MB, k.most/MB)
		}
	}
}

// Lists are short, and counts are whole.
func TestKept(t *testing.T) {
	d := &Dataset{Path: "x"}
	for i := range 120 {
		d.Images = append(d.Images, Image{ID: int64(i)})
	}
	problems := d.Check()
	faults, warnings, infos := CountProblems(problems)
	if faults != 121 || warnings != 120 || infos != 120 || len(problems) != 3*keptOfKind+1 {
		t.Errorf("%d problems for %d, %d, %d", len(problems), faults, warnings, infos)
	}
	if s := Summary(problems); !strings.Contains(s, "no-file-name               120") {
		t.Errorf("summary\n%s", s)
	}
	if _, report := d.Fix(Clip); !strings.Contains(report.String(), "and 221 more") {
		t.Errorf("report\n%s", report)
	}
	n := 0
	for p := range d.Problems() {
		if n++; p.More > 0 || n == 7 {
			break
		}
	}
	if n != 7 {
		t.Errorf("the faults end after %d", n)
	}
}

// 200,000 of everything takes seconds, not hours.
func TestMany(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 200,000 of everything")
	}
	const n = 200_000
	d := &Dataset{Path: "many"}
	var dets []Detection
	for i := range int64(n) {
		d.Images = append(d.Images, Image{ID: i, FileName: fmt.Sprintf("%d.jpg", i/2), Width: 9, Height: 9})
		d.Categories = append(d.Categories, Category{ID: i, Name: fmt.Sprint("class ", i/2)})
		d.Annotations = append(d.Annotations, Annotation{ID: i + 1, ImageID: i, CategoryID: i, BBox: [4]float64{1, 1, 3, 3}, Area: 9})
		dets = append(dets, Detection{ImageID: i, CategoryID: i, BBox: [4]float64{1, 1, 3, 3}, Score: .5})
	}
	begin := time.Now()
	_ = Summary(d.Check()) + d.Stats().String()
	if _, report := d.Fix(Clip); report.changes() > 0 {
		t.Errorf("%s", report)
	}
	for what, f := range map[string]func() error{
		"Evaluate": func() error { _, err := Evaluate(d, dets, Params{}); return err },
		"ByScore":  func() error { _, err := ByScore(d, dets, Params{}); return err },
		"Analyse":  func() error { _, err := Analyse(d, dets, ErrorParams{}); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "200000 categories") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range d.Annotations {
		d.Annotations[i].CategoryID, dets[i].CategoryID = 3, 3
	}
	d.Categories = d.Categories[:5000]
	if e, err := Analyse(d, dets, ErrorParams{}); err != nil || e.Correct != n || e.Confusion[3][3] != n || e.Confusion[4][4] != 0 {
		t.Errorf("%v", err)
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("%v", took)
	}
}
