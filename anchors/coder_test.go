package anchors

import (
	"math"
	"math/rand/v2"
	"testing"

	"retinago/box"
)

// By hand: the anchor's centre is (10, 10), its size 20 x 10; the object's (15, 12), 40 x 5.
func TestEncode(t *testing.T) {
	t.Parallel()
	a, g := box.Box{X1: 0, Y1: 5, X2: 20, Y2: 15}, box.Box{X1: -5, Y1: 9.5, X2: 35, Y2: 14.5}
	near(t, "encode", NewCoder().Encode(a, g), [4]float32{.25, .2, float32(math.Log(2)), float32(math.Log(.5))}, 1e-6)
	c := Coder{Weights: [4]float32{10, 10, 5, 5}, Clamp: 4}
	near(t, "weights", c.Encode(a, g), [4]float32{2.5, 2, float32(5 * math.Log(2)), float32(5 * math.Log(.5))}, 1e-6)
	near(t, "zero value", Coder{}.Encode(a, g), NewCoder().Encode(a, g), 0)
	d := Coder{}.Decode(a, Coder{}.Encode(a, g))
	near(t, "zero value", [4]float32{d.X1, d.Y1, d.X2, d.Y2}, [4]float32{-5, 9.5, 35, 14.5}, 1e-6)
}

func TestDecodeClamps(t *testing.T) {
	t.Parallel()
	d := NewCoder().Decode(box.Box{X2: 16, Y2: 16}, [4]float32{0, 0, 1e4, float32(math.Inf(1))})
	if math.Abs(float64(d.W())-1000) > 1e-3 || math.Abs(float64(d.H())-1000) > 1e-3 {
		t.Errorf("%v x %v, want 1000", d.W(), d.H())
	}
	if d := NewCoder().Decode(box.Box{X2: 16, Y2: 16}, [4]float32{0, 0, -1e4, 0}); d.W() != 0 {
		t.Errorf("width %v, want 0", d.W())
	}
}

func TestCoderIsInverse(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	c := Coder{Weights: [4]float32{10, 10, 5, 5}, Clamp: 10}
	for range 1000 {
		b := func() box.Box {
			return box.FromXYWH(r.Float32()*500, r.Float32()*500, 5+r.Float32()*100, 5+r.Float32()*100)
		}
		a, g := b(), b()
		d := c.Decode(a, c.Encode(a, g))
		near(t, "round trip", [4]float32{d.X1, d.Y1, d.X2, d.Y2}, [4]float32{g.X1, g.Y1, g.X2, g.Y2}, 1e-5)
	}
}
