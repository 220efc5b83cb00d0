//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"retinago/anchors"
	"retinago/box"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/cuda"
	"retinago/loss"
)

// crowded are images with objects of all kinds, and one with none.
func crowded(grid []box.Box) []detector.Objects {
	r := rand.New(rand.NewPCG(3, 4))
	nan := float32(math.NaN())
	var all []detector.Objects
	for _, n := range []int{0, 1, 7, 60} {
		var o detector.Objects
		for i := range n {
			x, y := r.Float32()*canvasW, r.Float32()*canvasH
			b := box.Box{X1: x, Y1: y, X2: x + r.Float32()*60, Y2: y + r.Float32()*60}
			switch i % 8 {
			case 1:
				b = grid[r.IntN(len(grid))] // some anchor's IoU is 1
			case 2:
				b = o.Boxes[i-1] // a copy, and of another class
			case 3:
				b = box.Box{X1: 16, Y1: 16, X2: 48, Y2: 48} // as far from many anchors as from others
			case 4:
				b = []box.Box{{X1: 5, Y1: 5, X2: 5, Y2: 9}, {X1: 9, Y1: 9, X2: 1, Y2: 1}, {X1: nan, X2: 9, Y2: 9}}[r.IntN(3)]
			case 5:
				b = box.Box{X1: x, Y1: y, X2: x + .25, Y2: y + .5} // no anchor overlaps much
			case 6:
				b = box.Box{X1: -500, Y1: -500, X2: 900, Y2: 900}
			}
			o.Boxes, o.Classes, o.Crowd = append(o.Boxes, b), append(o.Classes, int32(i%3)), append(o.Crowd, i%7 == 5)
		}
		all = append(all, o)
	}
	return all
}

// The engine matches anchors as the host does: labels and counts alike, deltas within 1e-6; with blocks of one thread and of several.
func TestAssign(t *testing.T) {
	c := startCPU(t)
	m, err := detector.New(small(models["frozen norms"].change).Model, c, 3)
	must(t, err)
	defer func() { must(t, m.Close()) }()
	grid, starts := m.Anchors(canvasH, canvasW)
	objects := crowded(grid)
	for threads := range blocks() {
		e := start(t)
		for _, match := range []anchors.Assigner{anchors.Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}, anchors.Matcher{Foreground: .5, Background: .4},
			anchors.Matcher{Foreground: 0, Background: 0, AllowLowQuality: true}, anchors.Matcher{Foreground: .3, Background: .3, CrowdIoF: .05},
			anchors.Matcher{Foreground: 1, Background: .9, AllowLowQuality: true, CrowdIoF: 1.5}, anchors.ATSS{PerCell: 9}, anchors.ATSS{TopK: 1, CrowdIoF: .05},
			anchors.ATSS{TopK: 2, PerCell: 7, CrowdIoF: 1.5}, anchors.ATSS{TopK: engine.MostNearest}} {
			t.Run(fmt.Sprintf("%d threads/%T%+v", threads, match, match), func(t *testing.T) {
				assignLike(t, m, e, match, objects, grid, starts)
			})
		}
	}
}

// bitsOf is a float64 as the engine has it.
func bitsOf(v float64) []int32 {
	b := math.Float64bits(v)
	return []int32{int32(uint32(b)), int32(uint32(b >> 32))}
}

func matchParams(match anchors.Assigner) engine.MatchParams {
	if by, ok := match.(anchors.ATSS); ok {
		return engine.MatchParams{Nearest: by.Nearest(), CrowdIoF: by.LeastIoF()}
	}
	by := match.(anchors.Matcher)
	return engine.MatchParams{Foreground: by.Foreground, Background: by.Background, AllowLowQuality: by.AllowLowQuality, CrowdIoF: by.LeastIoF()}
}

func assignLike(t *testing.T, m *detector.Model, e *cuda.Engine, match anchors.Assigner, objects []detector.Objects, grid []box.Box, starts []int) {
	n := len(objects)
	var flat []float32
	for _, a := range grid {
		flat = append(flat, a.X1, a.Y1, a.X2, a.Y2)
	}
	targets := engine.Targets{Anchors: put(t, e, flat, len(grid), 4)}
	for l := range m.Levels() {
		size := starts[l+1] - starts[l]
		targets.Labels = append(targets.Labels, put(t, e, make([]int32, n*size), n, size))
		targets.Deltas = append(targets.Deltas, put(t, e, like(4*n*size, 7), n, size, 4))
	}
	defer func() {
		e.Release(targets.Anchors)
		e.Release(targets.Labels...)
		e.Release(targets.Deltas...)
	}()
	of := make([][]engine.Object, n)
	for i, p := range objects {
		for g, b := range p.Boxes {
			of[i] = append(of[i], engine.Object{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: b.Y2, Class: p.Classes[g], Crowd: p.Crowd[g]})
		}
	}
	p := matchParams(match)
	counts, err := e.Assign(targets, of, p)
	must(t, err)

	want := m.Assign(match, canvasH, canvasW, objects)
	for l := range m.Levels() {
		labels := make([]int32, n*(starts[l+1]-starts[l]))
		must(t, e.Download(labels, targets.Labels[l]))
		for i, v := range labels {
			if w := want.Labels[want.Level[l]+i]; v != w {
				t.Fatalf("level %d: label %d is %d, the host's %d", l, i, v, w)
			}
		}
		for i, d := range get(t, e, targets.Deltas[l]) {
			if w := want.Deltas[4*want.Level[l]+i]; !close32(d, w, 1e-6) {
				t.Fatalf("level %d: delta %d is %g, the host's %g", l, i, d, w)
			}
		}
	}
	kinds := map[string]engine.NormalizeParams{"positives": {BoxWeight: .3}, "image": {ByPicture: true, BoxWeight: .3}, "anchors": {Counted: true, BoxWeight: .3}}
	for kind, p := range kinds {
		class, boxes := put(t, e, like(n, 7), n), put(t, e, like(n, 7), n)
		must(t, e.Normalize(class, boxes, p))
		norm, err := loss.NewNormalizer(kind)
		must(t, err)
		got, scaled := get(t, e, class), get(t, e, boxes)
		for i, f := range norm.Factors(want.Positives, want.Counted) {
			if got[i] != f || scaled[i] != f*.3 {
				t.Errorf("%s: factors of picture %d are %g and %g, the host's %g and %g", kind, i, got[i], scaled[i], f, f*.3)
			}
		}
		e.Release(class, boxes)
	}
	average, norm := put(t, e, bitsOf(97.3), 2), &loss.Normalizer{Kind: "ema", EMA: 97.3}
	for range 3 {
		class, boxes := put(t, e, like(n, 7), n), put(t, e, like(n, 7), n)
		must(t, e.Normalize(class, boxes, engine.NormalizeParams{BoxWeight: .3, Average: average}))
		got, scaled := get(t, e, class), get(t, e, boxes)
		for i, f := range norm.Factors(want.Positives, want.Counted) {
			if got[i] != f || scaled[i] != f*.3 {
				t.Errorf("ema: factors of picture %d are %g and %g, the host's %g and %g", i, got[i], scaled[i], f, f*.3)
			}
		}
		have := make([]int32, 2)
		must(t, e.Download(have, average))
		if !slices.Equal(have, bitsOf(norm.EMA)) {
			t.Errorf("the average's bits are %x, the host's %x", have, bitsOf(norm.EMA))
		}
		e.Release(class, boxes)
	}
	e.Release(average)
	// What the host waits for is not changed by what comes after it.
	other, err := e.Assign(targets, make([][]engine.Object, n), p)
	must(t, err)
	all, err := counts()
	must(t, err)
	for i, v := range all {
		if v != [2]int{want.Positives[i], want.Counted[i]} {
			t.Errorf("picture %d: %d positive anchors of %d, the host counts %d of %d", i, v[0], v[1], want.Positives[i], want.Counted[i])
		}
	}
	all, err = other()
	must(t, err)
	if by, ok := match.(anchors.Matcher); (!ok || by.Background > 0) && all[n-1] != [2]int{0, len(grid)} {
		t.Errorf("without objects: %v", all)
	}
	of[1][0].Class = -1
	if _, err := e.Assign(targets, of, p); err == nil || !strings.Contains(err.Error(), "class -1") {
		t.Errorf("an object of class -1: %v", err)
	}
	if _, err := e.Assign(targets, make([][]engine.Object, n), engine.MatchParams{Nearest: engine.MostNearest + 1}); err == nil {
		t.Error("more candidates than there is room for")
	}
	if err := e.Normalize(put(t, e, []float32{0}, 1), put(t, e, []float32{0}, 1), engine.NormalizeParams{}); err == nil {
		t.Error("factors of other pictures")
	}
}
