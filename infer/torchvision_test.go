package infer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retinago/box"
	"retinago/engine/cpu"
	"retinago/internal/media/picture"
	"retinago/internal/model/interop"
	"retinago/internal/model/weights"
)

// torchvisionFound is what torchvision found on an image, in its pixels.
type torchvisionFound struct {
	File   string
	Boxes  [][4]float32
	Scores []float32
	Labels []int
}

// From a .pth and image files to boxes, this finds what torchvision finds: boxes to .01 px, scores to 1e-5. The folders
// that $RETINAGO_TORCHVISION names are made by detector/testdata/reference.py with -pictures.
func TestIsTorchvisions(t *testing.T) {
	dirs := filepath.SplitList(os.Getenv("RETINAGO_TORCHVISION"))
	if len(dirs) == 0 {
		t.Skip("$RETINAGO_TORCHVISION names no folders with torchvision's numbers")
	}
	for _, dir := range dirs {
		var reference struct {
			Sides    [2]int // short and longest in the network
			Pictures []torchvisionFound
		}
		b, err := os.ReadFile(filepath.Join(dir, "pictures.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(b, &reference)
		}
		if err != nil {
			t.Fatal(err)
		}
		p := imported(t, filepath.Join(dir, "weights.pth"))
		p.info.Config.Data.ShortSides, p.info.Config.Data.MaxSide = reference.Sides[:1], reference.Sides[1]
		for _, want := range reference.Pictures {
			pic, err := picture.Decode(want.File)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Predict(t.Context(), pic)
			if err != nil {
				t.Fatal(err)
			}
			want.compare(t, filepath.Join(filepath.Base(dir), filepath.Base(want.File)), got)
		}
	}
}

// imported loads another project's weights.
func imported(t *testing.T, path string) *Predictor {
	t.Helper()
	s, err := weights.OpenAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := interop.Import(s, interop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	out := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(out, e); err != nil {
		t.Fatal(err)
	}
	p, err := Load(out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

const scoreTol, boxTol = 1e-5, .01

// compare matches detections of equal class, score and box, whatever their order: scores that differ in their last bits
// change places. A box that overlaps a better one by the IoU that NMS asks for, to the last bits, may stay or go, and of
// two overlapping boxes whose scores are equal to the last bits either may win. So may of two such that compete for the last place
// of a full list.
func (w torchvisionFound) compare(t *testing.T, name string, got []Detection) {
	t.Helper()
	want := make([]Detection, len(w.Scores))
	for i, s := range w.Scores {
		b := w.Boxes[i]
		want[i] = Detection{Box: box.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]}, Class: w.Labels[i], Score: s}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d detections, torchvision has %d", name, len(got), len(want))
	}
	used := make([]bool, len(want))
	var lost []Detection
	mostScore, mostBox := 0.0, 0.0
	for _, d := range got {
		found := false
		for k, o := range want {
			ds, db := math.Abs(float64(o.Score-d.Score)), furthest(o.Box, d.Box)
			if found = !used[k] && o.Class == d.Class && ds < scoreTol && db < boxTol; found {
				used[k] = true
				mostScore, mostBox = max(mostScore, ds), max(mostBox, db)
				break
			}
		}
		if !found {
			lost = append(lost, d)
		}
	}
	for k, o := range want {
		if !used[k] {
			lost = append(lost, o)
		}
	}
	edges := 0
	for _, d := range lost {
		last := len(want) == 300 && math.Abs(float64(d.Score-want[299].Score)) < 1e-6
		if last || onEdge(d, got) || onEdge(d, want) || onEdge(d, lost) {
			edges++
		}
	}
	t.Logf("%s: %d detections, scores to %.1g, boxes to %.1g px, %d at the edge of NMS", name, len(got), mostScore, mostBox, edges)
	// With the number of detections bounded, each that stays pushes out the last.
	if len(lost) > 2*edges {
		t.Errorf("%s: %d are in one and not in the other: %v", name, len(lost), lost)
	}
}

// onEdge reports whether numbers within the tolerances leave open if NMS, at .5, keeps a detection beside others of its class:
// for its IoU with a better one, or for its score beside one that it excludes.
func onEdge(d Detection, all []Detection) bool {
	return slices.ContainsFunc(all, func(o Detection) bool {
		iou := float64(o.Box.IoU(d.Box))
		near, tied := math.Abs(iou-.5) < 1e-5 && o.Score > d.Score, iou > .5 && iou < 1-1e-5 && math.Abs(float64(o.Score-d.Score)) < 1e-6
		return o.Class == d.Class && (near || tied)
	})
}

// furthest is the largest difference of two boxes' coordinates.
func furthest(a, b box.Box) float64 {
	return max(math.Abs(float64(a.X1-b.X1)), math.Abs(float64(a.Y1-b.Y1)), math.Abs(float64(a.X2-b.X2)), math.Abs(float64(a.Y2-b.Y2)))
}
