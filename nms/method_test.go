package nms

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/box"
	"retinago/internal/kinds"
)

// Two boxes of 10x10, the second moved by 5 (IoU 1/3) or by 2 (IoU 2/3), and one far away.
func three(shift float32) ([]box.Box, []float32, []int32) {
	return []box.Box{{X2: 10, Y2: 10}, {X1: shift, X2: 10 + shift, Y2: 10}, {X1: 50, X2: 60, Y2: 10}}, []float32{.9, .8, .5}, []int32{0, 0, 0}
}

// By hand, from the formulas of each method.
func TestMethodsByHand(t *testing.T) {
	t.Parallel()
	e := func(x float64) float32 { return float32(math.Exp(x)) }
	for _, k := range []struct {
		m     Method
		shift float32
		want  []float32 // scores of boxes 0, 1, 2; 0 is gone
	}{
		{Method{}, 2, []float32{.9, 0, .5}},
		{Method{Kind: "greedy", IoU: .7}, 2, []float32{.9, .8, .5}},
		{Method{Kind: "agnostic"}, 2, []float32{.9, 0, .5}},
		{Method{Kind: "soft-linear"}, 2, []float32{.9, .8 / 3, .5}},
		{Method{Kind: "soft-linear"}, 5, []float32{.9, .8, .5}},
		{Method{Kind: "soft-linear", Least: .3}, 2, []float32{.9, 0, .5}},
		{Method{Kind: "soft-gaussian"}, 5, []float32{.9, .8 * e(-1./9/.5), .5}},
		{Method{Kind: "matrix-linear"}, 5, []float32{.9, .8 * 2 / 3, .5}},
		{Method{Kind: "matrix-gaussian"}, 5, []float32{.9, .8 * e(-2./9), .5}},
		// d^2/c^2 = 4/(144+100): .667-.016 is above .5, and not above .66.
		{Method{Kind: "diou"}, 2, []float32{.9, 0, .5}},
		{Method{Kind: "diou", IoU: .66}, 2, []float32{.9, .8, .5}},
		{Method{Kind: "fuse"}, 2, []float32{.85, 0, .5}},
	} {
		if k.m.IoU == 0 {
			k.m.IoU = .5
		}
		boxes, scores, classes := three(k.shift)
		got := make([]float32, 3)
		for _, d := range k.m.Run(boxes, scores, classes, 0) {
			got[d.Index] = d.Score
		}
		for i := range got {
			if math.Abs(float64(got[i]-k.want[i])) > 1e-6 {
				t.Errorf("%+v moved by %g: scores %v, want %v", k.m, k.shift, got, k.want)
				break
			}
		}
	}
}

// The third box of a chain overlaps the second, which the first has lowered: Matrix lowers it by
// (1-iou_23)/(1-iou_12), here 1, and greedy keeps it.
func TestMatrixChain(t *testing.T) {
	t.Parallel()
	boxes := []box.Box{{X2: 10, Y2: 10}, {X1: 5, X2: 15, Y2: 10}, {X1: 10, X2: 20, Y2: 10}}
	got := Matrix{}.Run(boxes, []float32{.9, .8, .7}, []int32{1, 1, 1}, 0)
	if len(got) != 3 || got[1].Index != 2 || got[1].Score != .7 {
		t.Errorf("%+v", got)
	}
}

func TestFuse(t *testing.T) {
	t.Parallel()
	boxes, scores, classes := three(2)
	got := Fuse{IoU: .5}.Run(boxes, scores, classes, 0)
	// Corners weighted by .9 and .8: x1 = 2*.8/1.7.
	if len(got) != 2 || math.Abs(float64(got[0].Box.X1)-1.6/1.7) > 1e-6 || got[0].Box.Y2 != 10 {
		t.Errorf("%+v", got)
	}
	got = Fuse{IoU: .5, Models: 2}.Run(boxes, scores, classes, 0)
	if len(got) != 2 || got[1].Score != .25 || math.Abs(float64(got[0].Score)-.85) > 1e-6 {
		t.Errorf("two models: %+v", got)
	}
}

// Classes do not meet, but for the agnostic method.
func TestMethodsClasses(t *testing.T) {
	t.Parallel()
	boxes := []box.Box{{X2: 10, Y2: 10}, {X2: 10, Y2: 10}}
	for _, kind := range kinds.Names(Kinds) {
		want := 2
		if kind == "agnostic" {
			want = 1
		}
		if got := (Method{Kind: kind}).Run(boxes, []float32{.9, .8}, []int32{0, 1}, 0); len(got) != want {
			t.Errorf("%s: %d boxes, want %d", kind, len(got), want)
		}
	}
}

func TestMethodCheck(t *testing.T) {
	t.Parallel()
	if err := (Method{Kind: "fast"}).Check(); err == nil {
		t.Error("an unknown method passes")
	}
	for _, k := range append(kinds.Names(Kinds), "") {
		if err := (Method{Kind: k}).Check(); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the boxes: no panic, scores that fall and do not rise, no more than asked for, indices once, no NaN.
func FuzzMethods(f *testing.F) {
	f.Add(uint64(1), uint16(30), float32(.5), uint8(10))
	f.Add(uint64(2), uint16(0), float32(0), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, iou float32, limit uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		boxes, scores, classes := make([]box.Box, n%200), make([]float32, n%200), make([]int32, n%200)
		odd := []float32{0, -1, float32(math.NaN()), float32(math.Inf(1)), 1e30, 50}
		for i := range boxes {
			v := func() float32 {
				if r.IntN(40) == 0 {
					return odd[r.IntN(len(odd))]
				}
				return float32(r.IntN(30))
			}
			boxes[i] = box.Box{X1: v(), Y1: v(), X2: v() + 10, Y2: v() + 10}
			scores[i] = r.Float32()
			if r.IntN(30) == 0 {
				scores[i] = float32(math.NaN())
			}
			classes[i] = int32(r.IntN(3))
		}
		if iou != iou || iou < 0 || iou > 1 {
			iou = .5
		}
		for _, kind := range kinds.Names(Kinds) {
			got := Method{Kind: kind, IoU: iou}.Run(boxes, scores, classes, int(limit))
			if limit > 0 && len(got) > int(limit) {
				t.Errorf("%s: %d boxes, %d at most", kind, len(got), limit)
			}
			seen := map[int]bool{}
			for i, k := range got {
				if seen[k.Index] || k.Score != k.Score || k.Score < 0 || k.Score > 1 || i > 0 && k.Score > got[i-1].Score || k.Class != classes[k.Index] {
					t.Errorf("%s: detection %d is %+v", kind, i, k)
				}
				seen[k.Index] = true
				if kind != "fuse" && (k.Box != boxes[k.Index] || k.Score > scores[k.Index]) {
					t.Errorf("%s: %+v of box %v with score %g", kind, k, boxes[k.Index], scores[k.Index])
				}
			}
		}
	})
}

// Soft NMS with a kernel that is a step is greedy NMS: lowered to nothing above the threshold.
func TestSoftOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	boxes, scores, classes := make([]box.Box, 200), make([]float32, 200), make([]int32, 200)
	for i := range boxes {
		x, y := r.Float32()*60, r.Float32()*60
		boxes[i], scores[i], classes[i] = box.Box{X1: x, Y1: y, X2: x + 5 + 20*r.Float32(), Y2: y + 5 + 20*r.Float32()}, r.Float32(), int32(r.IntN(2))
	}
	// A Least just below the lowest score drops whatever was lowered at all: then the boxes that stay with their scores
	// are those that no better kept box overlaps.
	got := Soft{IoU: .3}.Run(boxes, scores, classes, 0)
	var whole []int
	for _, k := range got {
		if k.Score == scores[k.Index] {
			whole = append(whole, k.Index)
		}
	}
	for n, i := range whole {
		for _, j := range whole[:n] {
			if classes[i] == classes[j] && boxes[i].IoU(boxes[j]) > .3 {
				t.Errorf("boxes %d and %d overlap and neither was lowered", i, j)
			}
		}
	}
	if len(got) != 200 || len(whole) < 20 {
		t.Errorf("%d boxes, %d of them as they were", len(got), len(whole))
	}
	if again := (Soft{IoU: .3}).Run(boxes, scores, classes, 0); !slices.Equal(again, got) {
		t.Error("another run gives another result")
	}
}

func ExampleMethod() {
	boxes := []box.Box{{X2: 10, Y2: 10}, {X1: 2, X2: 12, Y2: 10}}
	for _, kind := range []string{"greedy", "soft-linear", "fuse"} {
		for _, k := range (Method{Kind: kind, IoU: .5}).Run(boxes, []float32{.9, .8}, []int32{0, 0}, 100) {
			fmt.Printf("%s: %.2f at %.1f\n", kind, k.Score, k.Box.X1)
		}
	}
	// Output:
	// greedy: 0.90 at 0.0
	// soft-linear: 0.90 at 0.0
	// soft-linear: 0.27 at 2.0
	// fuse: 0.85 at 0.9
}
