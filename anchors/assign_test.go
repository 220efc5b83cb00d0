package anchors

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/box"
)

func square(x, y, s float32) box.Box { return box.FromXYWH(x, y, s, s) }

func TestAssign(t *testing.T) {
	t.Parallel()
	m := Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}
	nan := float32(math.NaN())
	for _, tt := range []struct {
		name    string
		m       Matcher
		anchors []box.Box
		gt      []box.Box
		crowd   []bool
		labels  []int32 // object g has class 10+g
		matched []int32
	}{
		{"no anchors", m, nil, []box.Box{square(0, 0, 9)}, nil, []int32{}, []int32{}},
		{"no objects", m, []box.Box{square(0, 0, 9)}, nil, nil, []int32{-1}, []int32{-1}},
		// Of height 10 in 10x10: widths 5, 4.5, 4, 3.9 have IoU .5, .45, .4, .39.
		{"thresholds", Matcher{Foreground: .5, Background: .4}, []box.Box{{X2: 5, Y2: 10}, {X2: 4.5, Y2: 10}, {X2: 4, Y2: 10}, {X2: 3.9, Y2: 10}},
			[]box.Box{square(0, 0, 10)}, nil, []int32{10, -2, -2, -1}, []int32{0, -1, -1, -1}},
		{"low quality with ties", m, []box.Box{{X2: 2, Y2: 10}, {X1: 8, X2: 10, Y2: 10}, {X2: 1, Y2: 10}},
			[]box.Box{square(0, 0, 10)}, nil, []int32{10, 10, -1}, []int32{0, 0, -1}},
		{"low quality off", Matcher{Foreground: .5, Background: .4}, []box.Box{{X2: 2, Y2: 10}}, []box.Box{square(0, 0, 10)}, nil, []int32{-1}, []int32{-1}},
		// Object 1 has its best overlap with the anchor that is nearer to object 0: the anchor stays with 0.
		{"best of another", m, []box.Box{square(0, 0, 10)}, []box.Box{square(0, 0, 10), square(5, 5, 10)}, nil, []int32{10}, []int32{0}},
		{"equal objects", m, []box.Box{square(0, 0, 10)}, []box.Box{square(0, 0, 10), square(0, 0, 10)}, nil, []int32{10}, []int32{0}},
		// torchvision would make every anchor positive here.
		{"object that nothing overlaps", m, []box.Box{square(0, 0, 10), square(20, 0, 10)}, []box.Box{square(50, 50, 10)}, nil, []int32{-1, -1}, []int32{-1, -1}},
		{"touching is no overlap", m, []box.Box{square(0, 0, 10)}, []box.Box{square(10, 0, 10)}, nil, []int32{-1}, []int32{-1}},
		{"objects without area", m, []box.Box{square(0, 0, 10)}, []box.Box{{X1: 1, Y1: 1, X2: 1, Y2: 9}, {X1: 5, X2: 2, Y2: 9}, {X1: nan, X2: nan, Y2: nan}}, nil, []int32{-1}, []int32{-1}},
		{"object around all", m, []box.Box{square(0, 0, 10), square(20, 0, 20)}, []box.Box{square(0, 0, 100)}, nil, []int32{-1, 10}, []int32{-1, 0}},
		// Half of the first anchor, less of the second; the third is positive already.
		{"crowd", m, []box.Box{square(0, 0, 10), square(1, 0, 10), square(0, 50, 10)}, []box.Box{{X2: 5, Y2: 100}, square(0, 50, 10)}, []bool{true, false},
			[]int32{-2, -1, 11}, []int32{-1, -1, 1}},
		{"crowd alone", m, []box.Box{square(0, 0, 10)}, []box.Box{square(0, 0, 10)}, []bool{true}, []int32{-2}, []int32{-1}},
		{"crowd share", Matcher{Foreground: .5, Background: .4, CrowdIoF: .9}, []box.Box{square(0, 0, 10), square(2, 0, 10)}, []box.Box{square(0, 0, 10)}, []bool{true}, []int32{-2, -1}, []int32{-1, -1}},
		{"crowds off", Matcher{Foreground: .5, Background: .4, CrowdIoF: 2}, []box.Box{square(0, 0, 10)}, []box.Box{square(0, 0, 10)}, []bool{true}, []int32{-1}, []int32{-1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			class := make([]int32, len(tt.gt))
			for i := range class {
				class[i] = 10 + int32(i)
			}
			labels, matched := tt.m.Assign(tt.anchors, tt.gt, class, tt.crowd)
			if !slices.Equal(labels, tt.labels) || !slices.Equal(matched, tt.matched) {
				t.Errorf("labels %v, want %v; objects %v, want %v", labels, tt.labels, matched, tt.matched)
			}
		})
	}
}

// scene is n objects of 8 to 300 px on a canvas of 1088 x 800.
func scene(r *rand.Rand, n int) (gt []box.Box, class []int32) {
	for range n {
		w, h := 8*math.Exp(3.6*r.Float64()), 8*math.Exp(3.6*r.Float64())
		gt = append(gt, box.FromXYWH(float32(1000*r.Float64()), float32(700*r.Float64()), float32(w), float32(h)))
		class = append(class, int32(r.IntN(80)))
	}
	return
}

var canvas = [][2]int{{100, 136}, {50, 68}, {25, 34}, {13, 17}, {7, 9}}

// Against the definition with box.IoU, on a real grid.
func TestAssignAgainstDefinition(t *testing.T) {
	t.Parallel()
	grid := Default().Grid(800, 1088, canvas)
	gt, class := scene(rand.New(rand.NewPCG(1, 2)), 20)
	labels, matched := Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}.Assign(grid, gt, class, nil)
	top := make([]float32, len(gt))
	for _, a := range grid {
		for g, b := range gt {
			top[g] = max(top[g], b.IoU(a))
		}
	}
	positives := 0
	for i, a := range grid {
		best, object, forced := float32(0), int32(-1), false
		for g, b := range gt {
			v := b.IoU(a)
			if v > best {
				best, object = v, int32(g)
			}
			forced = forced || v == top[g] && v > 0
		}
		want := Ignore
		switch {
		case best >= .5 || forced:
			want = class[object]
			positives++
		case best < .4:
			want = Background
		}
		if labels[i] != want || want >= 0 && matched[i] != object {
			t.Fatalf("anchor %d: label %d, object %d, want %d, %d", i, labels[i], matched[i], want, object)
		}
	}
	if positives < 20 {
		t.Errorf("only %d positives", positives)
	}
}

func TestAssignPanics(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"lengths": func() { Matcher{}.Assign(nil, make([]box.Box, 2), make([]int32, 1), nil) },
		"crowd":   func() { Matcher{}.Assign(nil, make([]box.Box, 1), make([]int32, 1), make([]bool, 2)) },
		"class":   func() { Matcher{}.Assign(nil, make([]box.Box, 1), []int32{-1}, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// BenchmarkAssign is the 120087 anchors of an image of 800x800 px.
func BenchmarkAssign(b *testing.B) {
	hw := [][2]int{{100, 100}, {50, 50}, {25, 25}, {13, 13}, {7, 7}}
	grid, starts := Default().Grid(800, 800, hw), []int{0}
	for _, s := range hw {
		starts = append(starts, starts[len(starts)-1]+9*s[0]*s[1])
	}
	for name, a := range map[string]Assigner{"IoU": Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}, "ATSS": ATSS{PerCell: 9}} {
		for _, n := range []int{1, 20, 100} {
			gt, class := scene(rand.New(rand.NewPCG(1, 2)), n)
			b.Run(fmt.Sprintf("%s/%dx%d", name, len(grid), n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					a.AssignLevels(grid, starts, gt, class, nil)
				}
			})
		}
	}
}
