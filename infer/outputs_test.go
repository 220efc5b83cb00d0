package infer

import (
	"math"
	"testing"

	"retinago/box"
	"retinago/detector"
	"retinago/internal/dataset/data"
)

// Boxes without area are neither detections nor candidates.
func TestArea(t *testing.T) {
	nan := float32(math.NaN())
	boxes := []box.Box{{X1: 0, Y1: 0, X2: 0, Y2: 5}, {X1: 1, Y1: 1, X2: 4, Y2: 5}, {X1: 3, Y1: 3, X2: 3, Y2: 3}, {X1: 0, Y1: 9, X2: 10, Y2: 9}, {X1: 5, Y1: 2, X2: 4, Y2: 3},
		{X1: 2, Y1: 5, X2: 3, Y2: 4}, {X1: nan, Y1: 0, X2: 1, Y2: 1}, {X1: 0, Y1: 0, X2: 1, Y2: nan}, {X1: 10, Y1: 0, X2: 10, Y2: 10}, {X1: 0, Y1: 0, X2: 1e-3, Y2: 1e-3}}
	f := detector.Found{Candidates: detector.Candidates{Boxes: boxes}}
	for i, b := range boxes {
		f.Detections = append(f.Detections, detector.Detection{Box: b, Score: float32(i)})
		f.Candidates.Scores, f.Candidates.Classes = append(f.Candidates.Scores, float32(i)), append(f.Candidates.Classes, 0)
	}
	p := &Predictor{info: detector.Info{Categories: []detector.Category{{ID: 1, Name: "a"}}}}
	of := placed{scaled: data.Size{W: 10, H: 10}, size: data.Size{W: 20, H: 20}}
	far := of
	far.view.x = 1 << 20 // a thousandth of a pixel is lost there
	o := &Outputs{p: p, pictures: []placed{of, far}, wanted: make([]detector.Wanted, 2), found: []detector.Found{f, f}}
	for k, want := range [][]float32{{1, 9}, {1}} {
		found, _ := o.Found(k)
		var got []float32
		for _, d := range found {
			got = append(got, d.Score)
		}
		if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("picture %d: detections %v, want %v", k, got, want)
		}
	}
	c, sx, _, _ := o.Candidates(0)
	if len(c.Boxes) != 2 || len(c.Scores) != 2 || len(c.Classes) != 2 || c.Scores[1] != 9 || sx != 2 {
		t.Errorf("candidates %+v, scale %g", c, sx)
	}
}

// The highest score is that of all images, until one has a detection.
func TestHighest(t *testing.T) {
	p := &Predictor{}
	for _, k := range []struct {
		detections int
		score      float32
		want       float32
	}{{0, 0, 0}, {0, .2, .2}, {0, .1, .2}, {0, .4, .4}, {1, 0, 0}, {0, .45, 0}} {
		if p.note(k.detections, k.score); p.Highest() != k.want {
			t.Errorf("after %+v it is %g", k, p.Highest())
		}
	}
}
