package augment

import (
	"math/rand/v2"
	"testing"

	"retinago/box"
)

// What is left of a box is counted like pixels.
func TestUncovered(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	rectangle := func() box.Box {
		x, y := float32(r.IntN(20)), float32(r.IntN(20))
		return box.Box{X1: x, Y1: y, X2: x + float32(r.IntN(20)), Y2: y + float32(r.IntN(20))}
	}
	for range 500 {
		b, others := rectangle(), make([]box.Box, r.IntN(6))
		for i := range others {
			others[i] = rectangle()
		}
		want := 0.
		for y := b.Y1 + .5; y < b.Y2; y++ {
			for x := b.X1 + .5; x < b.X2; x++ {
				hidden := false
				for _, o := range others {
					hidden = hidden || x > o.X1 && x < o.X2 && y > o.Y1 && y < o.Y2
				}
				if !hidden {
					want++
				}
			}
		}
		if got := uncovered(b, others); got != want {
			t.Fatalf("%v of %v below %v, want %v", got, b, others, want)
		}
	}
}

// Objects go when too little of them is left; crowds when nothing is.
func TestVisible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(p *plan)
		crowd  bool
		want   []box.Box
	}{
		"as it is":            {func(p *plan) {}, false, []box.Box{object1}},
		"a quarter left":      {func(p *plan) { p.shift(-175, 0) }, false, []box.Box{{X1: 0, Y1: 50, X2: 25, Y2: 120}}},
		"less left":           {func(p *plan) { p.shift(-176, 0) }, false, nil},
		"a crowd's rest":      {func(p *plan) { p.shift(-199, 0) }, true, []box.Box{{X1: 0, Y1: 50, X2: 1, Y2: 120}}},
		"outside":             {func(p *plan) { p.shift(-200, 0) }, true, nil},
		"half covered":        {func(p *plan) { p.fill = append(p.fill, box.Box{X2: 150, Y2: 480}) }, false, []box.Box{object1}},
		"covered by two":      {func(p *plan) { p.fill = []box.Box{{X2: 150, Y2: 480}, {X1: 130, X2: 180, Y2: 480}} }, false, nil},
		"covered":             {func(p *plan) { p.fill = []box.Box{{X2: 640, Y2: 480}} }, true, nil},
		"below a layer":       {func(p *plan) { p.add(newPlan(1, Image{W: 640, H: 480}, same)) }, false, nil},
		"below a mixed layer": {func(p *plan) { p.mix(newPlan(1, Image{W: 640, H: 480}, same), .9) }, false, []box.Box{object1}},
		"dropped":             {func(p *plan) { p.objects[0].dropped = true }, false, nil},
		"below a px":          {func(p *plan) { p.scale(.0099) }, false, nil},
		"a px":                {func(p *plan) { p.scale(.0151) }, false, []box.Box{object1.Scale(9./640, 7./480)}},
	} {
		im := landscape
		im.Objects = []Object{{Box: object1, Class: 3, Crowd: c.crowd}}
		p := newPlan(0, im, same)
		c.change(p)
		got := p.visible(.25)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i, o := range got {
			nearBox(t, name, o.Box, c.want[i])
			if o.Class != 3 || o.Crowd != c.crowd {
				t.Errorf("%s: %+v", name, o)
			}
		}
	}
}
