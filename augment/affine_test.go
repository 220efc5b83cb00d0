package augment

import (
	"math"
	"math/rand/v2"
	"testing"

	"retinago/box"
)

// near compares numbers with the tolerance of closed forms, 1e-4 px.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-4) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// nearBox compares boxes with the same tolerance.
func nearBox(t *testing.T, what string, got, want box.Box) {
	t.Helper()
	near(t, what+" X1", float64(got.X1), float64(want.X1))
	near(t, what+" Y1", float64(got.Y1), float64(want.Y1))
	near(t, what+" X2", float64(got.X2), float64(want.X2))
	near(t, what+" Y2", float64(got.Y2), float64(want.Y2))
}

func TestAffine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a          Affine
		x, y, u, v float64
	}{
		"identity":  {Identity, 3, 4, 3, 4},
		"scale":     {Scale(2, .5), 3, 4, 6, 2},
		"translate": {Translate(-1, 2), 3, 4, 2, 6},
		"quarter":   {Rotate(math.Pi / 2), 3, 4, -4, 3}, // x to the right becomes y downwards: clockwise
		"shear":     {Shear(.5, .25), 3, 4, 5, 4.75},
		"flipx":     {FlipX(10), 3, 4, 7, 4},
		"flipy":     {FlipY(10), 3, 4, 3, 6},
		"around":    {Rotate(math.Pi).Around(5, 5), 3, 4, 7, 6},
	} {
		u, v := c.a.Point(c.x, c.y)
		near(t, name+" x", u, c.u)
		near(t, name+" y", v, c.v)
	}
	if _, ok := Scale(0, 1).Inverse(); ok {
		t.Error("a map onto a line has an inverse")
	}
	nearBox(t, "turned box", Rotate(math.Pi/4).Box(box.Box{X1: -1, Y1: -1, X2: 1, Y2: 1}),
		box.Box{X1: -math.Sqrt2, Y1: -math.Sqrt2, X2: math.Sqrt2, Y2: math.Sqrt2})
}

// Maps compose in order, and an inverse undoes them.
func TestCompositions(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		a, b := randomAffine(r), randomAffine(r)
		x, y := 100*r.Float64(), 100*r.Float64()
		u, v := b.Point(a.Point(x, y))
		ab := a.Then(b)
		gu, gv := ab.Point(x, y)
		near(t, "composition x", gu, u)
		near(t, "composition y", gv, v)
		back, ok := ab.Inverse()
		if !ok {
			t.Fatalf("%v has no inverse", ab)
		}
		bx, by := back.Point(u, v)
		near(t, "inverse x", bx, x)
		near(t, "inverse y", by, y)
		near(t, "area", ab.Area(), a.Area()*b.Area())
	}
}

func randomAffine(r *rand.Rand) Affine {
	return Scale(.5+r.Float64(), .5+r.Float64()).Then(Rotate(7 * r.Float64())).Then(Shear(.3*r.Float64(), .3*r.Float64())).Then(Translate(50*r.Float64(), 50*r.Float64()))
}
