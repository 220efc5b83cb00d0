package anchors

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/box"
)

// Against the definition: all distances, sorted. Points lie in and outside of the grid, on cells' centres (ties) and
// between them.
func TestNearestAgainstDefinition(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 7))
	c := Config{Strides: []int{8}, Sizes: []float64{32}, Scales: []float64{1, 1.26}, Ratios: []float64{.5, 1, 2}}
	for _, cells := range [][2]int{{0, 0}, {1, 1}, {3, 5}, {30, 40}, {100, 3}} {
		grid := c.Grid(0, 0, [][2]int{cells})
		l := newLevel(grid, 1000)
		for range 50 {
			x, y := math.Round(400*r.Float64()-40), math.Round(300*r.Float64()-40)
			k := 1 + r.IntN(90)
			want := make([]int, len(grid))
			for i := range want {
				want[i] = i
			}
			away := func(i int) float64 {
				ax, ay := center(grid[i])
				return (ax-x)*(ax-x) + (ay-y)*(ay-y)
			}
			slices.SortStableFunc(want, func(p, q int) int { return cmp.Compare(away(p), away(q)) })
			want = want[:min(k, len(want))]
			for i := range want {
				want[i] += 1000
			}
			if got := l.nearest(nil, x, y, k); !slices.Equal(got, want) {
				t.Fatalf("%d cells nearest to %g,%g of %v: %v, want %v", k, x, y, cells, got, want)
			}
		}
	}
}

// Rows of anchors are passed over only where none of their anchors meets the object.
func TestAssignPassesOverNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	nan := float32(math.NaN())
	var grid []box.Box
	for range 5*row + 7 {
		grid = append(grid, box.FromXYWH(500*r.Float32(), 500*r.Float32(), 80*r.Float32()-5, 80*r.Float32()-5))
	}
	grid[3], grid[row] = box.Box{X1: nan, Y1: 0, X2: 9, Y2: 9}, box.Box{X1: nan, Y1: nan, X2: nan, Y2: nan}
	gt, class := scene(r, 100)
	crowd := make([]bool, len(gt))
	for g := range crowd {
		crowd[g] = g%5 == 0
	}
	m := Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}
	labels, matched := m.Assign(grid, gt, class, crowd)
	// One anchor more in front moves the borders of all rows.
	moved, at := m.Assign(append([]box.Box{{X1: -9, Y1: -9, X2: -8, Y2: -8}}, grid...), gt, class, crowd)
	if !slices.Equal(labels, moved[1:]) || !slices.Equal(matched, at[1:]) {
		t.Error("labels depend on where rows begin")
	}
	for e, rows := 0, extents(grid); e < len(rows); e++ {
		for _, b := range gt {
			if !apart(&rows[e], &b) {
				continue
			}
			for _, a := range grid[e*row : min(e*row+row, len(grid))] {
				if a.IoU(b) > 0 {
					t.Errorf("row %d around %v does not meet %v, but its anchor %v does", e, rows[e], b, a)
				}
			}
		}
	}
	if !slices.Contains(labels, Ignore) || slices.Max(labels) < 0 {
		t.Error("the scene has no crowd or no object that counts")
	}
}
