package data

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retinago/augment"
	"retinago/box"
	"retinago/internal/media/picture"
)

// all is every policy at once, likely ones.
func all() []augment.Policy {
	var list []augment.Policy
	for _, k := range augment.Kinds {
		p := augment.Policy{Name: k.Name, Settings: map[string]float64{"probability": .5}}
		switch k.Name {
		case "short_side":
			p.Settings["min"], p.Settings["max"] = 32, 64
		case "crop":
			p.Settings["size"] = 40
		case "scale_jitter":
			p.Settings["min"] = .5
		}
		list = append(list, p)
	}
	return list
}

// same reports what differs between two lists of batches: they are equal to the bit, or it is an error.
func same(t *testing.T, what string, got, want []*Batch) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d batches, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s: batch %d is another", what, i)
		}
	}
}

// Batches of all policies are the same to the bit for any number of workers, and from any place of an epoch on.
func TestAugmentedBatchesAreDeterministic(t *testing.T) {
	d := made(t, 23)
	run := func(workers, skip int) []*Batch {
		c := settings()
		c.Workers, c.Augment = workers, all()
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		l.EndEarly(8)
		if err := l.Seek(skip/5, skip%5); err != nil { // five batches an epoch
			t.Fatal(err)
		}
		return take(t, l, 12-skip)
	}
	whole := run(1, 0)
	for _, c := range []struct{ workers, skip int }{{2, 0}, {4, 0}, {2, 7}, {1, 5}, {4, 10}} {
		same(t, fmt.Sprintf("%d workers from batch %d on", c.workers, c.skip), run(c.workers, c.skip), whole[c.skip:])
	}
}

// The preset none gives the batches that there are without policies.
func TestNoneChangesNothing(t *testing.T) {
	d := made(t, 23)
	run := func(list []augment.Policy) []*Batch {
		c := settings()
		c.Augment = list
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return take(t, l, 7)
	}
	same(t, "none", run([]augment.Policy{{Name: "none"}}), run(nil))
}

// With data.flip as the only change the batches of a policy list are those without one, mirrored at other places.
func TestFlipIsAPolicy(t *testing.T) {
	d := made(t, 23)
	run := func(flip float64, list []augment.Policy) []*Batch {
		c := settings()
		c.Flip, c.Augment = flip, list
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return take(t, l, 7)
	}
	still := []augment.Policy{{Name: "vflip", Settings: map[string]float64{"probability": 0}}}
	for _, flip := range []float64{0, 1} {
		for n, want := range run(flip, nil) {
			got := run(flip, still)[n]
			if !reflect.DeepEqual(got.Index, want.Index) || !reflect.DeepEqual(got.Images, want.Images) {
				t.Errorf("flip %v: batch %d has other images", flip, n)
			}
			for i := range want.Boxes {
				for k, b := range want.Boxes[i] {
					if g := got.Boxes[i][k]; abs32(g.X1-b.X1)+abs32(g.Y1-b.Y1)+abs32(g.X2-b.X2)+abs32(g.Y2-b.Y2) > 1e-4 {
						t.Errorf("flip %v: box %v, want %v", flip, g, b)
					}
				}
			}
		}
	}
	// An entry of the list replaces data.flip.
	own := run(1, []augment.Policy{{Name: "hflip", Settings: map[string]float64{"probability": 0}}})
	for n, want := range run(0, nil) {
		if !reflect.DeepEqual(own[n].Images, want.Images) {
			t.Errorf("batch %d is mirrored", n)
		}
	}
}

// From the batch of EndEarly on, batches are those of a list without the policies that end, also where the end is given after some batches.
func TestPoliciesEnd(t *testing.T) {
	d := made(t, 23)
	run := func(taken, late int, names ...string) []*Batch {
		c := settings()
		for _, n := range names {
			c.Augment = append(c.Augment, augment.Policy{Name: n, Settings: map[string]float64{"probability": 1}})
		}
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		first := take(t, l, taken)
		l.EndEarly(late)
		return append(first, take(t, l, 8-taken)...)
	}
	without := run(0, 100, "vflip", "cutout")
	for _, taken := range []int{0, 1} {
		with := run(taken, 6, "vflip", "mosaic", "mixup", "cutout")
		same(t, "after the end", with[6:], without[6:])
		for n := range 6 {
			if reflect.DeepEqual(with[n].Images, without[n].Images) {
				t.Errorf("batch %d has no mosaic", n)
			}
		}
	}
}

// For an engine that draws itself a batch has the layers of its scenes.
func TestAugmentedBytes(t *testing.T) {
	d := made(t, 23)
	c := settings()
	c.Augment = []augment.Policy{{Name: "mosaic", Settings: map[string]float64{"probability": 1}}, {Name: "cutout", Settings: map[string]float64{"probability": 1}}}
	run := func(bytes bool) []*Batch {
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5, Bytes: bytes})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return take(t, l, 3)
	}
	drawn := run(false)
	for n, b := range run(true) {
		if b.Images != nil || !reflect.DeepEqual(b.Boxes, drawn[n].Boxes) {
			t.Errorf("batch %d: images, or other boxes", n)
		}
		for i, canvas := range b.Canvases {
			if len(canvas.Layers) != 4 || len(canvas.Fill) == 0 || len(b.held[i]) != 4 {
				t.Errorf("%d layers and %d rectangles of %d images", len(canvas.Layers), len(canvas.Fill), len(b.held[i]))
			}
		}
		b.Release()
	}
}

// With fast_decode an image is decoded for the size that it has in its scene, and whole where a filter needs it.
func TestTarget(t *testing.T) {
	l := &Loader{c: settings()}
	quarter := augment.Layer{Position: augment.Rotate(.3).Then(augment.Scale(.25, .25))}
	if l.target(quarter) != nil {
		t.Error("a target without fast_decode")
	}
	l.c.FastDecode = true
	if w, h := l.target(quarter)(101, 80); w != 26 || h != 20 {
		t.Errorf("%dx%d", w, h)
	}
	quarter.Filters = []augment.Filter{{Kind: augment.Blur, Value: 1}}
	if l.target(quarter) != nil {
		t.Error("a target below a filter")
	}
}

// What is drawn for a place in the order does not depend on the size of the batches.
func TestPlacesDoNotDependOnTheBatch(t *testing.T) {
	d := made(t, 24)
	places := func(batch int) map[int]int {
		c := settings()
		c.Augment = all()
		l, err := NewLoader(d, c, LoaderOptions{Batch: batch, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		out := map[int]int{}
		for _, j := range l.order.epoch(3) {
			for i, p := range j.places {
				out[p] = j.images[i]
			}
		}
		return out
	}
	one := places(1)
	if len(one) != 24 {
		t.Fatalf("%d places", len(one))
	}
	if got := places(4); !reflect.DeepEqual(got, one) {
		t.Errorf("batches of 4 have the order %v, of 1 %v", got, one)
	}
}

// An image that a sampler draws twice in an epoch has two places, so that its two scenes differ.
func TestPlacesOfRepeatedImages(t *testing.T) {
	d := made(t, 24)
	c := settings()
	c.Augment = all()
	l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	l.order.times, l.order.total = slices.Repeat([]float64{2}, 24), 48
	places, images := map[int]bool{}, map[int]int{}
	for _, j := range l.order.epoch(0) {
		for i, p := range j.places {
			places[p] = true
			images[j.images[i]]++
		}
	}
	if len(places) != 48 || len(images) != 24 {
		t.Errorf("48 draws of 24 images have %d places and %d images", len(places), len(images))
	}
}

// A broken image is not drawn, as the scene's own or as a further one, and is named.
func TestScenesWithoutBrokenImages(t *testing.T) {
	d := made(t, 20)
	for _, i := range []int{2, 3, 9} {
		if err := os.WriteFile(d.File(i), []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := settings()
	c.Augment = []augment.Policy{{Name: "mosaic9", Settings: map[string]float64{"probability": 1}}, {Name: "copy_paste", Settings: map[string]float64{"probability": 1}}}
	load := func(workers int) *Loader {
		c.Workers = workers
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := load(1)
	defer l.Close()
	batches := take(t, l, 10)
	for _, b := range batches {
		for _, k := range b.Index {
			if k == 2 || k == 3 || k == 9 {
				t.Errorf("the broken image %d is in a batch", k)
			}
		}
	}
	if got := l.Broken(); len(got) != 3 || got[d.File(2)] == nil {
		t.Errorf("broken: %v", got)
	}
	other := load(4)
	defer other.Close()
	same(t, "four workers", take(t, other, 10), batches)
	for i := range d.Len() {
		os.WriteFile(d.File(i), nil, 0o644)
	}
	last := load(2)
	defer last.Close()
	if _, _, err := last.Next(context.Background()); err == nil || !strings.Contains(err.Error(), "in a row") {
		t.Errorf("a dataset of broken images: %v", err)
	}
}

// painted are images of a few objects, each in a colour of its own on black.
type painted []augment.Image

func (p painted) Len() int                  { return len(p) }
func (p painted) Image(i int) augment.Image { return p[i] }

// tints are the colours of the objects, by class: the channels that are on. A mixture with black is of no other object.
var tints = [][3]bool{{true, false, false}, {false, true, false}, {false, false, true}, {true, true, false}, {true, false, true}, {false, true, true}}

func paintings() (painted, []*picture.Picture) {
	sizes := []Size{{90, 60}, {60, 90}, {96, 64}}
	var all painted
	var pictures []*picture.Picture
	for i, s := range sizes {
		im := augment.Image{W: s.W, H: s.H}
		p := picture.New(s.W, s.H)
		for k := range 2 {
			b := box.Box{X1: float32(8 + 26*k), Y1: float32(10 + 5*i + 15*k), X2: float32(28 + 26*k), Y2: float32(24 + 5*i + 15*k)}
			im.Objects = append(im.Objects, augment.Object{Box: b, Class: int32(2*i + k)})
			tint, on := tints[2*i+k], map[bool]uint8{true: 255}
			for y := int(b.Y1); y < int(b.Y2); y++ {
				for x := int(b.X1); x < int(b.X2); x++ {
					p.Set(x, y, on[tint[0]], on[tint[1]], on[tint[2]])
				}
			}
		}
		all, pictures = append(all, im), append(pictures, p)
	}
	return all, pictures
}

// straight are the policies that keep sides parallel to the canvas's, and turned those that do not.
var (
	straight = []string{"hflip", "vflip", "quarter_turns", "translate", "short_side", "scale_jitter", "zoom_out", "iou_crop", "crop", "mosaic", "mosaic9", "copy_paste"}
	turned   = []string{"hflip", "rotate", "shear", "translate", "zoom_out"}
)

// Painted pixels and boxes agree over random compositions. Of straight ones each box is that of its object's pixels; of turned ones it lies
// around them.
func TestBoxesAreWhereObjectsAreDrawn(t *testing.T) {
	set, pictures := paintings()
	r := rand.New(rand.NewPCG(7, 8))
	checked := 0
	for n := range 1000 {
		from := straight
		if n%4 == 3 {
			from = turned
		}
		var list []augment.Policy
		for range 1 + r.IntN(4) {
			p := augment.Policy{Name: from[r.IntN(len(from))], Settings: map[string]float64{"probability": 1}}
			switch p.Name {
			case "short_side":
				p.Settings["min"], p.Settings["max"] = 48, 96
			case "crop":
				p.Settings["size"] = 70
			case "scale_jitter", "zoom_out":
				p.Settings["max"] = 2
			}
			list = append(list, p)
		}
		planner, err := augment.NewPlanner(set, list, augment.Options{Seed: uint64(n), MinVisible: .01})
		if err != nil {
			t.Fatal(err)
		}
		scene, objects := planner.Plan(augment.Place{Epoch: n, Number: n}, n%3, augment.Canvas{W: 160, H: 128, Short: 112, Long: 160})
		var sources []picture.Source
		for _, l := range scene.Layers {
			p := pictures[l.Index]
			sources = append(sources, picture.Source{Picture: p, W: p.W, H: p.H})
		}
		canvas := make([]float32, 3*scene.W*scene.H)
		picture.Input{Std: [3]float32{1. / 255, 1. / 255, 1. / 255}}.Draw(canvas, scene, sources)
		for _, o := range objects {
			checked += agrees(t, fmt.Sprint(n, list), canvas, scene, o, n%4 == 3)
		}
		if t.Failed() {
			return
		}
	}
	if checked < 500 {
		t.Errorf("only %d boxes were compared", checked)
	}
}

// agrees compares a box with the pixels of its object, and returns 1. It returns 0 where several objects of the class are in the scene, or
// others lie on this one.
func agrees(t *testing.T, what string, canvas []float32, s augment.Scene, o augment.Object, turned bool) int {
	t.Helper()
	of := 0
	for _, l := range s.Layers {
		if l.Index == int(o.Class/2) {
			of++
		}
	}
	top := s.Layers[len(s.Layers)-1].Index == int(o.Class/2)
	if of != 1 || strings.Contains(what, "copy_paste") && !top {
		return 0
	}
	x1, y1, x2, y2 := math.MaxInt, math.MaxInt, -1, -1
	for y := range s.H {
		for x := range s.W {
			v := canvas[3*(y*s.W+x):]
			if (v[0] > 127.5) == tints[o.Class][0] && (v[1] > 127.5) == tints[o.Class][1] && (v[2] > 127.5) == tints[o.Class][2] {
				x1, y1, x2, y2 = min(x1, x), min(y1, y), max(x2, x+1), max(y2, y+1)
			}
		}
	}
	if x2 < 0 { // it lies between the centres of pixels
		if o.Box.W() > 2 && o.Box.H() > 2 {
			t.Errorf("%s: %v has no pixels", what, o)
		}
		return 0
	}
	const most = 1.01 // px: a sample is of an object where it is more than half its colour
	inside := float32(x1) >= o.Box.X1-most && float32(y1) >= o.Box.Y1-most && float32(x2) <= o.Box.X2+most && float32(y2) <= o.Box.Y2+most
	tight := float32(x1) <= o.Box.X1+most && float32(y1) <= o.Box.Y1+most && float32(x2) >= o.Box.X2-most && float32(y2) >= o.Box.Y2-most
	if !inside || !tight && !turned {
		t.Errorf("%s: %v is drawn in %d,%d to %d,%d", what, o, x1, y1, x2, y2)
	}
	return 1
}
