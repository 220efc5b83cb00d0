package detector

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// falling is the definition of the order: all places by falling logit, equal ones as they are, without what is no number.
func falling(logits []float32) []int {
	var at []int
	for i, v := range logits {
		if v == v {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	return at
}

// best are the first k places of an order whose logits are above least.
func best(order []int, logits []float32, least float32, k int) []int {
	n := 0
	for n < min(k, len(order)) && logits[order[n]] > least {
		n++
	}
	return order[:n]
}

func TestTops(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	made := func(n int, f func(r *rand.Rand, i int) float32) []float32 {
		r, v := rand.New(rand.NewPCG(1, uint64(n))), make([]float32, n)
		for i := range v {
			v[i] = f(r, i)
		}
		return v
	}
	long := 3*part + 5
	for name, v := range map[string][]float32{
		"empty":          nil,
		"one":            {3},
		"zeros of signs": {0, float32(math.Copysign(0, -1)), 0, -1, float32(math.Copysign(0, -1)), 1},
		"odd":            {nan, inf, -inf, nan, 2, inf, 0, nan, -3, 1e-45},
		"all NaN":        made(5000, func(*rand.Rand, int) float32 { return nan }),
		"normal":         made(long, func(r *rand.Rand, _ int) float32 { return float32(r.NormFloat64()) }),
		"ties":           made(long, func(r *rand.Rand, _ int) float32 { return float32(r.IntN(7)) - 3 }),
		"all equal":      made(long, func(*rand.Rand, int) float32 { return 1 }),
		"rising":         made(long, func(_ *rand.Rand, i int) float32 { return float32(i) }),
		"falling":        made(long, func(_ *rand.Rand, i int) float32 { return -float32(i) / float32(long) }),
		"some NaN": made(20000, func(r *rand.Rand, _ int) float32 {
			if r.IntN(3) == 0 {
				return nan
			}
			return float32(r.NormFloat64())
		}),
	} {
		// Levels of different lengths: parts are shared out differently.
		levels := [][]float32{v, v[:len(v)/2], nil}
		orders := [][]int{falling(levels[0]), falling(levels[1]), nil}
		for _, least := range []float32{-2, 0, .5, -inf, inf} {
			for _, k := range []int{0, 1, 10, 1000, math.MaxInt} {
				for l, got := range tops(levels, least, nil, k) {
					if want := best(orders[l], levels[l], least, k); !slices.Equal(got, want) {
						t.Fatalf("%s, level %d, above %g, %d: got %d places %v..., want %d %v...", name, l, least, k,
							len(got), got[:min(5, len(got))], len(want), want[:min(5, len(want))])
					}
				}
			}
		}
	}
}

// A floor for each class is above the common one: places 0, 2, 4 are of the first class, the others of the second.
func TestTopsFloors(t *testing.T) {
	v := []float32{3, 3, 5, 5, 1, 9, 4, 2, 6, 0, 7, 8}
	for _, k := range []struct {
		floors []float32
		k      int
		want   []int
	}{
		{[]float32{4, 100}, 10, []int{10, 8, 2}},
		{[]float32{4, 100}, 2, []int{10, 8}},
		{[]float32{100, 2}, 10, []int{5, 11, 3, 1}},
		{[]float32{-1, -1}, 3, []int{5, 11, 10}},
		{[]float32{100, 100}, 3, nil},
	} {
		if got := tops([][]float32{v}, 0, k.floors, k.k)[0]; !slices.Equal(got, k.want) {
			t.Errorf("floors %v: %v, want %v", k.floors, got, k.want)
		}
	}
}

// The places do not depend on the number of goroutines.
func TestTopsThreads(t *testing.T) {
	r, v := rand.New(rand.NewPCG(2, 2)), make([]float32, 6*part)
	for i := range v {
		v[i] = float32(r.IntN(100))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	want := best(falling(v), v, 90, 300)
	for _, n := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(n)
		if got := tops([][]float32{v}, 90, nil, 300)[0]; !slices.Equal(got, want) {
			t.Errorf("%d goroutines: %v, want %v", n, got, want)
		}
	}
}

// BenchmarkDecode is an image of 800x1344 px with 80 classes: 699 thousand logits above the threshold, or some hundred.
func BenchmarkDecode(b *testing.B) {
	const h, w, classes = 800, 1344, 80
	c := tiny()
	c.Classes, c.CategoryIDs = nil, nil
	for k := range classes {
		c.Classes, c.CategoryIDs = append(c.Classes, fmt.Sprint("class ", k)), append(c.CategoryIDs, int64(k+1))
	}
	m := newModel(b, c)
	_, starts := m.Anchors(h, w)
	for _, mean := range []float64{-5, -8} {
		r := rand.New(rand.NewPCG(1, 1))
		raw, above := &Raw{N: 1, Classes: classes}, 0
		for l := range m.Levels() {
			n := starts[l+1] - starts[l]
			logits, deltas := make([]float32, classes*n), make([]float32, 4*n)
			for i := range logits {
				if logits[i] = float32(1.2*r.NormFloat64() + mean); logits[i] > -2.944439 {
					above++
				}
			}
			for i := range deltas {
				deltas[i] = float32(.3 * r.NormFloat64())
			}
			raw.Logits, raw.Deltas = append(raw.Logits, logits), append(raw.Deltas, deltas)
		}
		b.Run(fmt.Sprint(above), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Decode(raw, 0, h, w, w, h, Decoding{Score: .05, TopK: 1000, NMS: .5, MaxDets: 300})
			}
		})
	}
}
