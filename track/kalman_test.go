package track

import (
	"math"
	"testing"

	"retinago/box"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// Computed by hand. P = [4 0; 0 1], q = (1, .5): predicted x = 10+2, P = [4+0+1+1 1; 1 1.5]. Measured 15 with r = 2:
// S = 8, K = (6/8, 1/8), the innovation is 3.
func TestMotion(t *testing.T) {
	t.Parallel()
	m := motion{x: 10, v: 2, xx: 4, vv: 1}
	m.predict(1, .5)
	if want := (motion{x: 12, v: 2, xx: 6, xv: 1, vv: 1.5}); m != want {
		t.Fatalf("predicted %+v, want %+v", m, want)
	}
	m.update(15, 2)
	if want := (motion{x: 14.25, v: 2.375, xx: 1.5, xv: .25, vv: 1.375}); m != want {
		t.Fatalf("updated %+v, want %+v", m, want)
	}
	m.predict(0, 0)
	if want := (motion{x: 16.625, v: 2.375, xx: 3.375, xv: 1.625, vv: 1.375}); m != want {
		t.Fatalf("predicted again %+v, want %+v", m, want)
	}
}

// A box of 40x80: deviations are 2*80/20 = 8 of the place and 10*80/160 = 5 of the speed. A frame later the variance of x is
// 64 + 25 + (80/20)^2 = 105; measured with 16, the gain is 105/121, and that of the speed (0 + 25)/121.
func TestFilter(t *testing.T) {
	t.Parallel()
	f := newFilter(box.FromXYWH(100, 50, 40, 80))
	if f.x.x != 120 || f.y.x != 90 || f.ratio.x != .5 || f.height.x != 80 || f.x.xx != 64 || f.x.vv != 25 {
		t.Fatalf("began at %+v", f)
	}
	if !near(f.ratio.xx, 1e-4) || !near(f.ratio.vv, 1e-10) {
		t.Errorf("ratio %+v", f.ratio)
	}
	f.predict()
	if b := f.box(); b != box.FromXYWH(100, 50, 40, 80) {
		t.Errorf("what stands is expected at %v", b)
	}
	if f.x.xx != 105 || f.x.xv != 25 || f.x.vv != 25.25 {
		t.Errorf("predicted %+v", f.x)
	}
	f.update(box.FromXYWH(112.1, 50, 40, 80))
	if math.Abs(f.x.x-(120+12.1*105/121)) > 1e-5 || math.Abs(f.x.v-12.1*25/121) > 1e-5 {
		t.Errorf("updated %+v", f.x)
	}
	if !near(f.x.xx, 105*16./121) {
		t.Errorf("variance %g", f.x.xx)
	}
	// Of a box without any height nothing becomes infinite.
	f = newFilter(box.Box{X1: 5, Y1: 5, X2: 9, Y2: 5})
	for range 3 {
		f.predict()
		f.update(box.Box{X1: 5, Y1: 5, X2: 9, Y2: 5})
	}
	if b := f.box(); !(b.X1 > -1e4 && b.X2 < 1e4) {
		t.Errorf("a flat box became %v", b)
	}
}

// The filter finds the speed of what moves evenly.
func TestFilterSpeed(t *testing.T) {
	t.Parallel()
	f := newFilter(box.FromXYWH(0, 0, 30, 30))
	for i := 1; i <= 60; i++ {
		f.predict()
		f.update(box.FromXYWH(float32(3*i), float32(-2*i), 30, 30))
	}
	if math.Abs(f.x.v-3) > .01 || math.Abs(f.y.v+2) > .01 {
		t.Errorf("speed %g, %g, want 3, -2", f.x.v, f.y.v)
	}
}
