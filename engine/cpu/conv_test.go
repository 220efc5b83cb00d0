package cpu

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/engine/enginetest"
)

// Every choice of convolutions passes the suite, on one thread and on two.
func TestConformance(t *testing.T) {
	for _, a := range kinds {
		for _, threads := range []int{1, 2} {
			t.Run(fmt.Sprint(a, "/", threads), func(t *testing.T) {
				open := func(t testing.TB) engine.Engine { return start(t, Options{Threads: threads, Algorithm: a}) }
				if a == Fixed {
					enginetest.Run(t, open)
				} else {
					enginetest.Convolutions(t, open)
				}
			})
		}
	}
}

// Several maps at once give what one by one does: of the own kernels forward and by data to the bit, where the order of sums is the
// same.
func TestConvAll(t *testing.T) {
	p := engine.ConvParams{Stride: 1, Pad: 1, Activation: engine.ReLU}
	plain := engine.ConvParams{Stride: 1, Pad: 1}
	for _, a := range kinds {
		e := start(t, Options{Algorithm: a})
		r := rand.New(rand.NewPCG(7, 8))
		const c, k = 36, 20
		w, scale, b := put(t, e, normal(r, k*c*9), k, c, 3, 3), put(t, e, normal(r, k), k), put(t, e, normal(r, k), k)
		var x, y, dx, dy, dws []*tensor.Dense
		var want, wantDX [][]float32
		sum := make([]float32, k*c*9)
		for _, hw := range [][2]int{{30, 41}, {15, 21}, {5, 3}, {1, 1}} {
			h, wd := hw[0], hw[1]
			xi, dyi := put(t, e, normal(r, 2*h*wd*c), 2, h, wd, c), put(t, e, normal(r, 2*h*wd*k), 2, h, wd, k)
			yi, dxi, dw := put(t, e, nil, 2, h, wd, k), put(t, e, nil, 2, h, wd, c), put(t, e, nil, k, c, 3, 3)
			if err := errors.Join(e.Conv(yi, xi, w, scale, b, nil, p), e.ConvData(dxi, dyi, w, scale, plain), e.ConvWeights(dw, dyi, xi, scale, plain)); err != nil {
				t.Fatal(err)
			}
			want, wantDX = append(want, get(t, e, yi)), append(wantDX, get(t, e, dxi))
			for i, v := range get(t, e, dw) {
				sum[i] += v
			}
			if err := errors.Join(e.Upload(yi, filled(2*h*wd*k, 1e9)), e.Upload(dxi, filled(2*h*wd*c, 1e9)), e.Upload(dw, filled(k*c*9, 1e9))); err != nil {
				t.Fatal(err)
			}
			x, y, dx, dy, dws = append(x, xi), append(y, yi), append(dx, dxi), append(dy, dyi), append(dws, dw)
		}
		if err := errors.Join(e.ConvAll(y, x, w, scale, b, p), e.ConvDataAll(dx, dy, w, scale, plain), e.ConvWeightsAll(dws[0], dy, x, scale, plain)); err != nil {
			t.Fatal(err)
		}
		check := func(what string, got, want []float32, tolerance float64) {
			t.Helper()
			var most, off float64
			for i := range got {
				most, off = max(most, math.Abs(float64(want[i]))), max(off, math.Abs(float64(got[i])-float64(want[i])))
			}
			if !(off <= tolerance*most) || most == 0 {
				t.Errorf("%v: %s is off by %g of %g", a, what, off, most)
			}
		}
		tolerance := 1e-5 // where a small map takes another kernel alone
		if a == Winograd || a == OneDNN {
			tolerance = 0
		}
		for i := range x {
			check(fmt.Sprint("map ", i), get(t, e, y[i]), want[i], tolerance)
			check(fmt.Sprint("gradient by map ", i), get(t, e, dx[i]), wantDX[i], tolerance)
		}
		check("gradient by weights", get(t, e, dws[0]), sum, 1e-5)
	}
}
