package data

import (
	"cmp"
	"math"
	"slices"

	"retinago/augment"
	"retinago/config"
	"retinago/internal/media/picture"
)

// Size is a width and height in pixels.
type Size struct{ W, H int }

// area in pixels.
func (s Size) area() int { return s.W * s.H }

// cover is the least size that both fit into.
func (s Size) cover(o Size) Size { return Size{max(s.W, o.W), max(s.H, o.H)} }

// Resized is the size of an image after scaling its short side to short pixels, or less so that its long side keeps
// within long, as augment.Resized does.
func Resized(s Size, short, long int) Size {
	w, h := augment.Resized(float64(s.W), float64(s.H), short, long)
	return Size{int(w), int(h)}
}

// Target is where a configuration wants images decoded to: to Resized with fast_decode, else whole.
func Target(c config.Data, short int) picture.Target {
	if !c.FastDecode {
		return nil
	}
	return func(w, h int) (int, int) {
		s := Resized(Size{w, h}, short, c.MaxSide)
		return s.W, s.H
	}
}

// Up rounds both sides up to a multiple.
func (s Size) Up(multiple int) Size {
	return Size{(s.W + multiple - 1) / multiple * multiple, (s.H + multiple - 1) / multiple * multiple}
}

// trainBuckets bounds the canvases of one short side in training, each of which is a graph.
const trainBuckets = 3

// bucketize gives each size one of at most so many canvases. It begins with the sizes rounded up and merges, as
// long as there are too many, the two whose merger adds the least padding over all images.
func bucketize(sizes []Size, multiple, most int) (bucket []int, canvases []Size) {
	count := map[Size]int{}
	for _, s := range sizes {
		count[s.Up(multiple)]++
	}
	type group struct {
		canvas Size
		n      int
	}
	var groups []group
	for c, n := range count {
		groups = append(groups, group{c, n})
	}
	order := func(a, b group) int {
		return cmp.Or(cmp.Compare(a.canvas.area(), b.canvas.area()), cmp.Compare(a.canvas.W, b.canvas.W))
	}
	slices.SortFunc(groups, order)
	for len(groups) > most {
		best, bi, bj := math.MaxInt, 0, 0
		for i, a := range groups {
			for j, b := range groups[:i] {
				u := a.canvas.cover(b.canvas).area()
				if cost := a.n*(u-a.canvas.area()) + b.n*(u-b.canvas.area()); cost < best {
					best, bi, bj = cost, i, j
				}
			}
		}
		merged := group{groups[bi].canvas.cover(groups[bj].canvas), groups[bi].n + groups[bj].n}
		groups = slices.Delete(groups, bi, bi+1) // bj < bi stays where it is
		groups[bj] = merged
		slices.SortFunc(groups, order)
	}
	for _, g := range groups {
		canvases = append(canvases, g.canvas)
	}
	bucket = make([]int, len(sizes))
	for i, s := range sizes {
		u := s.Up(multiple)
		bucket[i] = slices.IndexFunc(canvases, func(c Size) bool { return u.cover(c) == c }) // least area first
	}
	return bucket, canvases
}
