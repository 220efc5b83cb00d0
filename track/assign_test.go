package track

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, k := range []struct {
		cost  [][]float64
		limit float64
		want  []int
	}{
		{nil, 1, nil},
		{[][]float64{{}, {}}, 1, []int{-1, -1}},
		{[][]float64{{.3}}, .5, []int{0}},
		{[][]float64{{.6}}, .5, []int{-1}},
		{[][]float64{{.1, .2}, {.2, .9}}, 1, []int{1, 0}},       // .4, not greedy's 1.0
		{[][]float64{{.1, .7}, {.2, inf}}, .85, []int{1, 0}},    // two pairs rather than one
		{[][]float64{{.1, .74}, {.7, inf}}, .75, []int{0, -1}},  // .1 + .75 is less than 1.44
		{[][]float64{{inf, inf}, {inf, inf}}, 9, []int{-1, -1}}, // nothing is allowed
		{[][]float64{{.5, .4, .3}}, 1, []int{2}},                // fewer rows
		{[][]float64{{.5}, {.4}, {.3}}, 1, []int{-1, -1, 0}},    // fewer columns
	} {
		if got := assign(k.cost, k.limit); !slices.Equal(got, k.want) {
			t.Errorf("%v up to %g: %v, want %v", k.cost, k.limit, got, k.want)
		}
	}
}

// least tries every way to pair rows from r on.
func least(cost [][]float64, limit float64, r int, used []bool) float64 {
	if r == len(cost) {
		return 0
	}
	best := least(cost, limit, r+1, used) // alone
	for c, v := range cost[r] {
		if !used[c] && v <= limit {
			used[c] = true
			best = min(best, v-limit+least(cost, limit, r+1, used))
			used[c] = false
		}
	}
	return best
}

func TestAssignIsBest(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		cost := make([][]float64, 1+r.IntN(5))
		columns := 1 + r.IntN(5)
		for i := range cost {
			for range columns {
				v := float64(r.IntN(20)) / 10
				if r.IntN(4) == 0 {
					v = math.Inf(1)
				}
				cost[i] = append(cost[i], v)
			}
		}
		limit := r.Float64() * 2
		sum, used := 0., map[int]bool{}
		for i, c := range assign(cost, limit) {
			if c < 0 {
				continue
			}
			if used[c] || cost[i][c] > limit {
				t.Fatalf("%v up to %g: column %d twice, or too dear", cost, limit, c)
			}
			used[c] = true
			sum += cost[i][c] - limit
		}
		if want := least(cost, limit, 0, make([]bool, columns)); math.Abs(sum-want) > 1e-9 {
			t.Fatalf("%v up to %g: costs %g, the best is %g", cost, limit, sum, want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	objects := make([]Object, 100)
	for i := range objects {
		objects[i] = at(float32(r.IntN(1900)), float32(r.IntN(1000)), .9)
	}
	t := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		t.Next(objects)
	}
}
