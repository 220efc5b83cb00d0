package box

import (
	"math"
	"testing"
)

func TestFromXYWH(t *testing.T) {
	t.Parallel()
	b := FromXYWH(1, 2, 3, 4)
	if (b != Box{1, 2, 4, 6}) || b.W() != 3 || b.H() != 4 || b.Area() != 12 {
		t.Errorf("got %v, %v x %v, area %v", b, b.W(), b.H(), b.Area())
	}
}

func TestIoU(t *testing.T) {
	t.Parallel()
	unit := Box{0, 0, 10, 10}
	for _, tt := range []struct {
		name string
		a, b Box
		want float32
	}{
		{"same", unit, unit, 1},
		{"half moved", unit, Box{5, 0, 15, 10}, 50. / 150},
		{"corner", unit, Box{5, 5, 15, 15}, 25. / 175},
		{"inside", unit, Box{0, 0, 5, 5}, .25},
		{"touching", unit, Box{10, 0, 20, 10}, 0},
		{"apart on both axes", unit, Box{20, 20, 30, 30}, 0},
		{"no area", unit, Box{5, 5, 5, 5}, 0},
		{"both without area", Box{5, 5, 5, 5}, Box{5, 5, 5, 5}, 0},
		{"inverted", unit, Box{9, 9, 1, 1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.IoU(tt.b); math.Abs(float64(got-tt.want)) > 1e-7 {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if tt.a.IoU(tt.b) != tt.b.IoU(tt.a) {
				t.Error("not symmetric")
			}
		})
	}
}

func TestAreaOfInverted(t *testing.T) {
	t.Parallel()
	// The product of two negative sides is positive.
	if a := (Box{9, 9, 1, 1}).Area(); a != 0 {
		t.Errorf("area %v, want 0", a)
	}
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	b := Box{-5, 2, 30, 18}
	for name, tt := range map[string]struct{ got, want Box }{
		"clip":              {b.Clip(20, 10), Box{0, 2, 20, 10}},
		"clip outside":      {Box{30, 30, 40, 40}.Clip(20, 10), Box{20, 10, 20, 10}},
		"scale":             {b.Scale(2, .5), Box{-10, 1, 60, 9}},
		"flip":              {b.FlipX(100), Box{70, 2, 105, 18}},
		"flip back":         {b.FlipX(100).FlipX(100), b},
		"intersect":         {b.Intersect(Box{0, 0, 10, 10}), Box{0, 2, 10, 10}},
		"intersect nothing": {b.Intersect(Box{40, 40, 50, 50}), Box{40, 40, 30, 18}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
}
