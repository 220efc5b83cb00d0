package nms

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retinago/box"
)

func TestGreedy(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, tt := range []struct {
		name   string
		boxes  []box.Box
		scores []float32
		iou    float32
		want   []int
	}{
		{"empty", nil, nil, .5, nil},
		{"one", []box.Box{{X2: 1, Y2: 1}}, []float32{.1}, .5, []int{0}},
		// 10x10 against the same moved by 5: IoU 50/150 = 1/3.
		{"below", []box.Box{{X2: 10, Y2: 10}, {X1: 5, X2: 15, Y2: 10}}, []float32{.1, .9}, .34, []int{1, 0}},
		{"above", []box.Box{{X2: 10, Y2: 10}, {X1: 5, X2: 15, Y2: 10}}, []float32{.1, .9}, .33, []int{1}},
		// 10x10 in 20x10 is exactly .5, which is not above .5.
		{"at the threshold", []box.Box{{X2: 20, Y2: 10}, {X2: 10, Y2: 10}}, []float32{.9, .8}, .5, []int{0, 1}},
		{"a dropped box drops nothing", []box.Box{{X2: 10, Y2: 10}, {X1: 4, X2: 14, Y2: 10}, {X1: 8, X2: 18, Y2: 10}},
			[]float32{.9, .8, .7}, .4, []int{0, 2}}, // 60/140 = .43, 60/140, 20/180
		{"ties by index", []box.Box{{X2: 1, Y2: 1}, {X1: 5, X2: 6, Y2: 1}, {X2: 1, Y2: 1}}, []float32{.5, .5, .5}, .5, []int{0, 1}},
		{"copies without area stay", []box.Box{{X1: 1, Y1: 1, X2: 1, Y2: 5}, {X1: 1, Y1: 1, X2: 1, Y2: 5}}, []float32{.2, .3}, .5, []int{1, 0}},
		{"not a number", []box.Box{{X2: 1, Y2: 1}, {X1: nan, X2: 1, Y2: 1}, {X2: 9, Y2: 9}, {X2: inf, Y2: 9}}, []float32{nan, .9, .3, .1}, .5, []int{2, 3}},
		{"threshold 1", []box.Box{{X2: 10, Y2: 10}, {X2: 10, Y2: 10}}, []float32{.9, .8}, 1, []int{0, 1}},
		{"threshold 0", []box.Box{{X2: 10, Y2: 10}, {X1: 9, Y1: 9, X2: 19, Y2: 19}, {X1: 10, X2: 11, Y2: 1}}, []float32{.9, .8, .7}, 0, []int{0, 2}},
		{"infinite scores", []box.Box{{X2: 1, Y2: 1}, {X1: 5, X2: 6, Y2: 1}}, []float32{-inf, inf}, .5, []int{1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Greedy(tt.boxes, tt.scores, tt.iou); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// naive is the definition, without any speed.
func naive(boxes []box.Box, scores []float32, classes []int32, iou float32) []int {
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	var out []int
	for _, i := range order {
		if !slices.ContainsFunc(out, func(j int) bool {
			return classes[i] == classes[j] && boxes[i].IoU(boxes[j]) > iou
		}) {
			out = append(out, i)
		}
	}
	return out
}

// scene is n boxes of 4 to 100 px, or of very different sizes, in a square image; scores repeat.
func scene(r *rand.Rand, n int, size float64, wild bool) (boxes []box.Box, scores []float32, classes []int32) {
	for range n {
		w, h := 4+96*r.Float64(), 4+96*r.Float64()
		if wild {
			w, h = math.Exp(9*r.Float64()-2), math.Exp(9*r.Float64()-2)
		}
		b := box.FromXYWH(float32(size*r.Float64()), float32(size*r.Float64()), float32(w), float32(h))
		if len(boxes) > 0 && r.IntN(3) == 0 { // near a box before
			o := boxes[r.IntN(len(boxes))]
			b = box.FromXYWH(o.X1+float32(r.IntN(3)), o.Y1, o.W()*float32(1+.2*r.Float64()), o.H())
		}
		boxes = append(boxes, b)
		scores = append(scores, float32(r.IntN(2000))/2000)
		classes = append(classes, int32(r.IntN(3)))
	}
	return
}

func TestAgainstDefinition(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		n := []int{5, 100, 1500}[i%3]
		boxes, scores, classes := scene(r, n, []float64{200, 2000}[i%2], i%4 == 0)
		iou := []float32{0, .1, .3, .5, .7, .95, 1}[i%7]
		one := make([]int32, n)
		if got, want := Greedy(boxes, scores, iou), naive(boxes, scores, one, iou); !slices.Equal(got, want) {
			t.Fatalf("scene %d, %d boxes, iou %v: %d stay, want %d", i, n, iou, len(got), len(want))
		}
		want := naive(boxes, scores, classes, iou)
		if got := ClassWise(boxes, scores, classes, iou, 0); !slices.Equal(got, want) {
			t.Fatalf("scene %d, %d boxes, iou %v: %d of all classes stay, want %d", i, n, iou, len(got), len(want))
		}
		if got := ClassWise(boxes, scores, classes, iou, 20); !slices.Equal(got, want[:min(20, len(want))]) {
			t.Fatalf("scene %d: the best 20 are %v, want %v", i, got, want[:20])
		}
	}
}

// The grid must not lose what lies on its border, in one point, or at the far ends of float32.
func TestGridBorders(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(i int) box.Box{
		"one point": func(int) box.Box { return box.Box{X1: 7, Y1: 7, X2: 7, Y2: 7} },
		"a line":    func(i int) box.Box { return box.FromXYWH(float32(i), 3, 1.5, 1) },
		"huge":      func(i int) box.Box { return box.FromXYWH(float32(i)*1e30, -1e37, 1.5e30, 1) },
	} {
		var boxes []box.Box
		scores, classes := make([]float32, 5*few), make([]int32, 5*few)
		for i := range scores {
			boxes = append(boxes, at(i))
		}
		if got, want := Greedy(boxes, scores, .1), naive(boxes, scores, classes, .1); !slices.Equal(got, want) {
			t.Errorf("%s: %d stay, want %d", name, len(got), len(want))
		}
	}
}

// testdata/torchvision.json is torchvision.ops.nms on made-up boxes; see the README there.
func TestIsTorchvisions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "torchvision.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Boxes  [][4]float32     `json:"boxes"`
		Scores []float32        `json:"scores"`
		Keep   map[string][]int `json:"keep"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	var boxes []box.Box
	for _, b := range f.Boxes {
		boxes = append(boxes, box.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]})
	}
	for key, want := range f.Keep {
		var iou float32
		fmt.Sscan(key, &iou)
		if got := Greedy(boxes, f.Scores, iou); !slices.Equal(got, want) {
			t.Errorf("iou %v: got %v, want %v", iou, got, want)
		}
	}
	if len(f.Keep) < 3 {
		t.Errorf("only %d cases", len(f.Keep))
	}
}

// clustered is n boxes of 80 classes around n/20 objects of 12 to 245 px in an image of 1333 px, as a detector's are.
func clustered(n int) (boxes []box.Box, scores []float32, classes []int32) {
	const size = 1333
	r := rand.New(rand.NewPCG(3, 5))
	type object struct {
		at    [4]float64
		class int32
	}
	objects := make([]object, max(n/20, 1))
	for i := range objects {
		x, y, w, h := size*r.Float64(), size*r.Float64(), math.Exp(2.5+3*r.Float64()), math.Exp(2.5+3*r.Float64())
		objects[i] = object{[4]float64{max(x-w/2, 0), max(y-h/2, 0), min(x+w/2, size), min(y+h/2, size)}, int32(r.IntN(80))}
	}
	for range n {
		o := objects[r.IntN(len(objects))]
		w, h := o.at[2]-o.at[0], o.at[3]-o.at[1]
		at := func(i int, side float64) float32 {
			return float32(min(max(o.at[i]+.1*side*r.NormFloat64(), 0), size))
		}
		x1, y1, x2, y2 := at(0, w), at(1, h), at(2, w), at(3, h)
		boxes = append(boxes, box.Box{X1: min(x1, x2), Y1: min(y1, y2), X2: max(x1, x2), Y2: max(y1, y2)})
		scores = append(scores, r.Float32())
		classes = append(classes, o.class)
	}
	return
}

func BenchmarkGreedy(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		boxes, scores, _ := clustered(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Greedy(boxes, scores, .5)
			}
		})
	}
}

func BenchmarkClassWise(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		boxes, scores, classes := clustered(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ClassWise(boxes, scores, classes, .5, 0)
			}
		})
	}
}
