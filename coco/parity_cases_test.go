package coco

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestParityCases compares every number of every array with pycocotools, on the cases that testdata/parity.py has
// made: RETINAGO_COCO_CASES names their folder. (-count=1: Go's cache of tests does not see new files there.)
func TestParityCases(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("RETINAGO_COCO_CASES")
	if dir == "" {
		t.Skip("needs cases of testdata/parity.py in a folder that RETINAGO_COCO_CASES names")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no *.jsonl (%v): make some with testdata/parity.py", dir, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p := parity{file: file}
			d := json.NewDecoder(f)
			for {
				var c madeCase
				if err := d.Decode(&c); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("case %d: %v", p.cases, err)
				}
				p.compare(t, &c)
			}
			t.Logf("%d cases and %d masks: %d of %d numbers are equal to the last bit, the largest difference is %g", p.cases, p.masks, p.exact, p.numbers, p.worst)
		})
	}
}

// madeCase is a line of a file of parity.py.
type madeCase struct {
	GroundTruth json.RawMessage `json:"ground_truth"`
	Detections  json.RawMessage `json:"detections"`
	Arrays      []byte          `json:"arrays"`
	Masks       []struct {
		Segmentation json.RawMessage `json:"segmentation"`
		Runs         []uint32        `json:"runs"`
		Area         float64         `json:"area"`
		BBox         [4]float64      `json:"bbox"`
	} `json:"masks"`
}

type parity struct {
	file                         string
	cases, masks, numbers, exact int
	worst                        float64
}

func (p *parity) compare(t *testing.T, c *madeCase) {
	t.Helper()
	for _, m := range c.Masks {
		p.masks++
		s, err := ParseSegmentation(m.Segmentation)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s.RLE.Counts, m.Runs) || s.Area() != m.Area || s.BBox() != m.BBox {
			t.Errorf("mask %s: runs %v, area %v, box %v; want %v, %v, %v", m.Segmentation, s.RLE.Counts, s.Area(), s.BBox(), m.Runs, m.Area, m.BBox)
		}
	}
	if c.GroundTruth == nil {
		return
	}
	p.cases++
	gt, err := Read(bytes.NewReader(c.GroundTruth), p.file, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dt, err := ReadResults(bytes.NewReader(c.Detections), p.file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Evaluate(gt, dt, Params{})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(c.Arrays))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(b)/8)
	for i := range want {
		want[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	for _, part := range []struct {
		name string
		got  []float64
	}{{"stats", r.Stats[:]}, {"precision", r.Precision}, {"scores", r.Scores}, {"recall", r.Recall}} {
		if len(want) < len(part.got) {
			t.Fatalf("case %d: %d numbers are left for %s, want %d", p.cases, len(want), part.name, len(part.got))
		}
		wrong := 0
		for i, got := range part.got {
			p.numbers++
			if got == want[i] {
				p.exact++
				continue
			}
			p.worst = max(p.worst, math.Abs(got-want[i]))
			if wrong++; !(math.Abs(got-want[i]) <= 1e-12) && wrong <= 3 {
				t.Errorf("case %d: %s[%d]: got %v, want %v%s", p.cases, part.name, i, got, want[i], shown(c))
			}
		}
		want = want[len(part.got):]
	}
	if len(want) > 0 {
		t.Fatalf("case %d: %d numbers too many", p.cases, len(want))
	}
}

// shown is the case's data where a reader can look through them.
func shown(c *madeCase) string {
	if len(c.GroundTruth)+len(c.Detections) > 1000 {
		return ""
	}
	return strings.Join([]string{"", string(c.GroundTruth), string(c.Detections)}, "\n")
}
