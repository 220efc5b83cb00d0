package augment

import (
	"math"
	"math/rand/v2"

	"retinago/box"
	"retinago/internal/kinds"
)

var pasteKinds = []Kind{
	{Kind: kinds.Kind{Name: "copy_paste", Text: "pastes boxes of other images where they hide little; the fewer objects a class has, the likelier it is taken (Dwibedi et al. 2017)",
		Params: []kinds.Param{probability(.3), {Key: "count", Default: 3, Min: 1, Max: 20, Whole: true, Text: "most boxes of an image"},
			{Key: "min", Default: .75, Min: .05, Max: 10, Text: "least factor of their size"}, {Key: "max", Default: 1.5, Min: .05, Max: 10, Text: "largest factor of their size"}}},
		Combines: true,
		apply: func(d *draw) {
			for range 1 + d.IntN(int(d.get("count"))) {
				d.paste()
			}
		}},
}

// stock is the objects of a training set by class.
type stock struct {
	members map[int32][]member
	classes []int32   // with members, in order of first appearance
	until   []float64 // sums of the classes' weights, 1 by the number of members, up to each class
}

// member is an object of an image.
type member struct{ image, object int }

func newStock(images Images) *stock {
	s := &stock{members: map[int32][]member{}}
	for i := range images.Len() {
		for k, o := range images.Image(i).Objects {
			if o.Crowd {
				continue
			}
			if s.members[o.Class] == nil {
				s.classes = append(s.classes, o.Class)
			}
			s.members[o.Class] = append(s.members[o.Class], member{i, k})
		}
	}
	sum := 0.
	for _, c := range s.classes {
		sum += 1 / float64(len(s.members[c]))
		s.until = append(s.until, sum)
	}
	return s
}

// draw draws a class by its rarity and one of its members.
func (s *stock) draw(r *rand.Rand) (member, bool) {
	if len(s.classes) == 0 {
		return member{}, false
	}
	at, k := r.Float64()*s.until[len(s.until)-1], 0
	for k < len(s.until)-1 && at >= s.until[k] {
		k++
	}
	of := s.members[s.classes[k]]
	return of[r.IntN(len(of))], true
}

const (
	triesPaste = 10 // places for one box
	mostHidden = .3 // share of an object that a pasted box may hide, and of the box that may lie on an object
	mostPasted = .5 // share of the frame's sides that a pasted box may have
)

// paste draws a box and a place where it hides little, and puts it there. Where there is none, nothing is pasted.
func (d *draw) paste() {
	m, ok := d.origin.rare().draw(d.Rand)
	factor := d.drawn()
	if !ok || d.origin.place.Skip[m.image] {
		return
	}
	p := newPlan(m.image, d.origin.images.Image(m.image), d.canvas)
	b := p.at(p.objects[m.object])
	size := min(factor, mostPasted*d.w/float64(b.W()), mostPasted*d.h/float64(b.H()))
	b = b.Scale(float32(size), float32(size))
	for range triesPaste {
		x, y := d.offset(d.w-float64(b.W())), d.offset(d.h-float64(b.H()))
		to := box.Box{X1: float32(x), Y1: float32(y), X2: float32(x) + b.W(), Y2: float32(y) + b.H()}
		if d.hides(to) {
			continue
		}
		p.move(Scale(size, size).Then(Translate(x-float64(b.X1), y-float64(b.Y1))), d.w, d.h)
		p.cut(to)
		d.add(p)
		return
	}
}

// hides reports whether a box and an object would hide much of each other.
func (p *plan) hides(b box.Box) bool {
	for _, o := range p.objects {
		if o.Crowd || o.dropped {
			continue
		}
		other := common(p.at(o), p.layers[o.layer].Clip)
		if least := math.Min(area(b), area(other)); least > 0 && area(common(b, other)) > mostHidden*least {
			return true
		}
	}
	return false
}
