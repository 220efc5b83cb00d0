package anchors

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"retinago/box"
)

// The paper's algorithm written with torch, on random objects; testdata/atss.py made the numbers.
func TestATSSReference(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/atss.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		PerCell  int `json:"per_cell"`
		K        int
		Starts   []int
		Anchors  [][4]float32
		GT       [][4]float32
		Positive [][2]int
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		gt := toBoxes(c.GT)
		class := make([]int32, len(gt))
		for g := range class {
			class[g] = int32(10 + g)
		}
		labels, matched := ATSS{TopK: c.K, PerCell: c.PerCell}.AssignLevels(toBoxes(c.Anchors), c.Starts, gt, class, nil)
		var got [][2]int
		for a, m := range matched {
			if m < 0 {
				if labels[a] != Background {
					t.Errorf("case %d: anchor %d has no object and the label %d", i, a, labels[a])
				}
				continue
			}
			got = append(got, [2]int{a, int(m)})
			if labels[a] != 10+m {
				t.Errorf("case %d: anchor %d learns object %d and has the label %d", i, a, m, labels[a])
			}
		}
		if !slices.Equal(got, c.Positive) || len(got) < 10 {
			t.Errorf("case %d: positives %v, want %v", i, got, c.Positive)
		}
	}
}

// By hand: four unit cells in a row and an object over the second. The candidates' overlaps are 1/3, 1, 0 and 0 (the
// first is half covered): mean 1/3, deviation sqrt(2/9) = .47, so that the second alone passes.
func TestATSSByHand(t *testing.T) {
	t.Parallel()
	anchors := []box.Box{{X1: 0, Y1: 0, X2: 10, Y2: 10}, {X1: 5, Y1: 0, X2: 15, Y2: 10}, {X1: 20, Y1: 0, X2: 30, Y2: 10}, {X1: 30, Y1: 0, X2: 40, Y2: 10}}
	object := []box.Box{{X1: 5, Y1: 0, X2: 15, Y2: 10}}
	if got := threshold(anchors, []int{0, 1, 2, 3}, object[0]); math.Abs(got-(1./3+math.Sqrt(2./9))) > 1e-6 {
		t.Errorf("threshold %g", got)
	}
	labels, matched := ATSS{TopK: 4}.AssignLevels(anchors, []int{0, 4}, object, []int32{3}, nil)
	if !slices.Equal(labels, []int32{-1, 3, -1, -1}) || !slices.Equal(matched, []int32{-1, 0, -1, -1}) {
		t.Errorf("labels %v, objects %v", labels, matched)
	}
}

// Crowd regions take no anchors and hide those inside of them; objects without area and empty images give background.
func TestATSSOddObjects(t *testing.T) {
	t.Parallel()
	c := Default()
	grid := c.Grid(128, 128, [][2]int{{16, 16}, {8, 8}, {4, 4}, {2, 2}, {1, 1}})
	starts := []int{0, 2304, 2880, 3024, 3060, 3069}
	a := ATSS{PerCell: 9}
	labels, _ := a.AssignLevels(grid, starts, nil, nil, nil)
	if slices.ContainsFunc(labels, func(l int32) bool { return l != Background }) {
		t.Error("an empty picture has labels")
	}
	labels, _ = a.AssignLevels(grid, starts, []box.Box{{X1: 5, Y1: 5, X2: 5, Y2: 50}, {X1: 0, Y1: 0, X2: 128, Y2: 128}}, []int32{0, 1}, []bool{false, true})
	if slices.Max(labels) != Background || slices.Min(labels) != Ignore {
		t.Errorf("labels from %d to %d", slices.Min(labels), slices.Max(labels))
	}
}

// A small image with fewer cells than candidates: all are.
func TestATSSFewAnchors(t *testing.T) {
	t.Parallel()
	anchors := []box.Box{{X1: 0, Y1: 0, X2: 10, Y2: 10}}
	labels, _ := ATSS{}.AssignLevels(anchors, []int{0, 1}, []box.Box{{X1: 1, Y1: 1, X2: 9, Y2: 9}}, []int32{0}, nil)
	if labels[0] != 0 {
		t.Errorf("label %d", labels[0])
	}
}
