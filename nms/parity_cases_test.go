package nms

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retinago/box"
)

// TestParityCases keeps what torchvision keeps; testdata/parity.py makes the cases.
func TestParityCases(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("RETINAGO_NMS_CASES")
	if dir == "" {
		t.Skip("RETINAGO_NMS_CASES is not a folder of cases; testdata/parity.py makes them")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	cases, total := 0, 0
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := bufio.NewReader(f)
		read := func(v any) {
			if err := binary.Read(r, binary.LittleEndian, v); err != nil {
				t.Fatalf("%s: case %d: %v", path, cases, err)
			}
		}
		indices := func() []int {
			var n int32
			read(&n)
			v := make([]int32, n)
			read(v)
			out := make([]int, n)
			for i := range v {
				out[i] = int(v[i])
			}
			return out
		}
		for {
			var n int32
			if err := binary.Read(r, binary.LittleEndian, &n); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			var iou float32
			boxes, scores, classes := make([]box.Box, n), make([]float32, n), make([]int32, n)
			read(&iou)
			read(boxes)
			read(scores)
			read(classes)
			one, wise := indices(), indices()
			if got := Greedy(boxes, scores, iou); !slices.Equal(got, one) {
				t.Errorf("%s: case %d, %d boxes, threshold %g: %d stay, torchvision keeps %d", path, cases, n, iou, len(got), len(one))
			}
			if got := ClassWise(boxes, scores, classes, iou, 0); !slices.Equal(got, wise) {
				t.Errorf("%s: case %d, %d boxes, threshold %g: %d of all classes stay, torchvision keeps %d", path, cases, n, iou, len(got), len(wise))
			}
			if got := ClassWise(boxes, scores, classes, iou, len(wise)/2+1); !slices.Equal(got, wise[:min(len(wise), len(wise)/2+1)]) {
				t.Errorf("%s: case %d: the best half differs", path, cases)
			}
			cases, total = cases+1, total+int(n)
		}
	}
	t.Logf("%d cases with %d boxes", cases, total)
}
