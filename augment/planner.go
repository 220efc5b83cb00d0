package augment

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
)

// Images is a training set: the images that a scene is made of.
type Images interface {
	Len() int
	Image(i int) Image
}

// Options configures a Planner.
type Options struct {
	Seed uint64
	// MinVisible is the share of its area, in [0,1], that an object must keep: one of which less is left is dropped.
	MinVisible float64
}

// Planner draws scenes. What it draws depends on its options and on the arguments of Plan alone. Goroutines may share it.
type Planner struct {
	images   Images
	options  Options
	single   []step // change one image
	combined []step // change a scene
	rare     func() *stock
}

// step is a policy with all of its settings.
type step struct {
	kind     Kind
	settings map[string]float64
}

// NewPlanner returns a planner of the policies, with presets among them; Check lists what can be wrong with them.
func NewPlanner(images Images, policies []Policy, o Options) (*Planner, error) {
	p := &Planner{images: images, options: o, rare: sync.OnceValue(func() *stock { return newStock(images) })}
	all, err := Expand(policies)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		kind, err := Find(v.Name)
		if err != nil {
			return nil, err
		}
		s := step{kind, kind.defaults()}
		for key, value := range v.Settings {
			s.settings[key] = value
		}
		if kind.Combines {
			p.combined = append(p.combined, s)
		} else {
			p.single = append(p.single, s)
		}
	}
	return p, nil
}

// Place says which image of a run a scene is for.
type Place struct {
	Epoch, Number int  // Number is of the image in the order of its epoch
	Late          bool // in the last part of the run, in which kinds with Early do nothing
	// Skip lists images that are not taken as further ones: they cannot be read.
	Skip map[int]bool
}

// Plan draws the scene of an image, and the objects that can be seen in it. Its first layer is of the image unless nothing of it is left.
func (p *Planner) Plan(at Place, index int, c Canvas) (Scene, []Object) {
	o := origin{p, at, Address{Seed: p.options.Seed, Epoch: at.Epoch, Place: at.Number}, c}
	scene := o.image(index)
	o.apply(p.combined, scene)
	return scene.scene(), scene.visible(p.options.MinVisible)
}

// origin is what a plan is drawn with.
type origin struct {
	*Planner
	place   Place
	address Address
	canvas  Canvas
}

// image returns the plan of an image under the policies of one image.
func (o origin) image(index int) *plan {
	p := newPlan(index, o.images.Image(index), o.canvas)
	o.apply(o.single, p)
	return p
}

func (o origin) apply(steps []step, p *plan) {
	for _, s := range steps {
		if s.kind.Early && o.place.Late {
			continue
		}
		d := draw{Rand: o.address.Rand(s.kind.Name), plan: p, step: s, origin: o}
		if d.Float64() < d.get(probabilityKey) {
			s.kind.apply(&d)
		}
	}
}

// draw is a policy at work: it draws random numbers and changes the plan.
type draw struct {
	*rand.Rand
	*plan
	step   step
	origin origin
}

// get returns a setting of the policy.
func (d *draw) get(key string) float64 {
	v, ok := d.step.settings[key]
	if !ok {
		panic(fmt.Sprintf("augment: policy %s has no setting %s", d.step.kind.Name, key))
	}
	return v
}

// between draws from [lo,hi).
func (d *draw) between(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }

// drawn draws from the range of the settings min and max.
func (d *draw) drawn() float64 { return d.between(d.get("min"), d.get("max")) }

// offset draws how many whole px of room are on the left of, or above, what has a place.
func (d *draw) offset(room float64) float64 { return float64(int(max(room, 0) * d.Float64())) }

// triesFurther bounds how many images are drawn until one can be read.
const triesFurther = 20

// further draws another image, with the policies of one image; nil where none can be read. k numbers the further images of the policy.
func (d *draw) further(k int) *plan {
	for range triesFurther {
		i := d.IntN(d.origin.images.Len())
		if d.origin.place.Skip[i] {
			continue
		}
		o := d.origin
		o.address.Part = d.step.kind.Name + "." + strconv.Itoa(k)
		return o.image(i)
	}
	return nil
}
