package anchors

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"retinago/box"
)

// fixture is testdata/torchvision.json; the README there says how it was made.
type fixture struct {
	HW      [][2]int           `json:"hw"`
	Grid    [][4]float32       `json:"grid"`
	OddHW   [][2]int           `json:"odd_hw"` // of 72x104 px
	Odd     [][4]float32       `json:"odd"`
	GT      [][4]float32       `json:"gt"`
	Matches map[string][]int32 `json:"matches"`
	Codes   [][4]float32       `json:"codes"`
	Deltas  [][4]float32       `json:"deltas"`
	Anchors [][4]float32       `json:"anchors"`
	Decoded [][4]float32       `json:"decoded"`
	Base    [][][4]float32     `json:"base"`
}

func load(t *testing.T) fixture {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "torchvision.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func toBoxes(v [][4]float32) []box.Box {
	out := make([]box.Box, len(v))
	for i, b := range v {
		out[i] = box.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]}
	}
	return out
}

func small() Config {
	c := Default()
	c.Sizes = []float64{16, 32, 64, 128, 256}
	c.IntegerSizes = true
	return c
}

func same(t *testing.T, got, want []box.Box) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d anchors, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("anchor %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestGridIsTorchvisions(t *testing.T) {
	t.Parallel()
	f := load(t)
	c := small()
	same(t, c.Grid(64, 128, f.HW), toBoxes(f.Grid))
	c.CanvasStrides = true
	same(t, c.Grid(72, 104, f.OddHW), toBoxes(f.Odd))
	c = Default()
	c.IntegerSizes = true
	for l, base := range f.Base {
		for i, want := range toBoxes(base) {
			if got := c.Base(l)[i]; got != want {
				t.Errorf("level %d base %d is %v, want %v", l, i, got, want)
			}
		}
	}
}

func TestAssignIsTorchvisions(t *testing.T) {
	t.Parallel()
	f := load(t)
	gt := toBoxes(f.GT)
	class := make([]int32, len(gt))
	for i := range class {
		class[i] = int32(100 + i)
	}
	for key, low := range map[string]bool{"True": true, "False": false} {
		m := Matcher{Foreground: .5, Background: .4, AllowLowQuality: low}
		labels, matched := m.Assign(toBoxes(f.Grid), gt, class, nil)
		for i, want := range f.Matches[key] {
			switch {
			case want < 0 && (labels[i] != want || matched[i] != -1):
				t.Errorf("low quality %v: anchor %d has label %d, object %d, want %d", low, i, labels[i], matched[i], want)
			case want >= 0 && (matched[i] != want || labels[i] != class[want]):
				t.Errorf("low quality %v: anchor %d has label %d, object %d, want %d", low, i, labels[i], matched[i], want)
			}
		}
	}
}

func TestCoderIsTorchvisions(t *testing.T) {
	t.Parallel()
	f := load(t)
	grid, gt := toBoxes(f.Grid), toBoxes(f.GT)
	k := 0
	for i, g := range f.Matches["True"] {
		if g < 0 {
			continue
		}
		near(t, "encode", NewCoder().Encode(grid[i], gt[g]), f.Codes[k], 1e-6)
		k++
	}
	if k != len(f.Codes) || k < 20 {
		t.Fatalf("%d codes, want %d", k, len(f.Codes))
	}
	for i, b := range toBoxes(f.Anchors) {
		d := NewCoder().Decode(b, f.Deltas[i])
		near(t, "decode", [4]float32{d.X1, d.Y1, d.X2, d.Y2}, f.Decoded[i], 2e-6)
	}
}

// near allows tol relative to the largest of the four.
func near(t *testing.T, what string, got, want [4]float32, tol float64) {
	t.Helper()
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i := range got {
		if !(math.Abs(float64(got[i]-want[i])) <= tol*scale) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}
