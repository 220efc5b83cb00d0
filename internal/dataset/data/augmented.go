package data

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"retinago/augment"
	"retinago/box"
	"retinago/config"
	"retinago/internal/media/picture"
)

// images is a dataset as policies read it.
type images struct{ *Dataset }

// Image returns image i with the objects that it can teach.
func (d images) Image(i int) augment.Image {
	im := d.Dataset.Image(i)
	out := augment.Image{W: im.Width, H: im.Height}
	boxes, classes, crowd := d.Objects(i)
	for k, b := range boxes {
		out.Objects = append(out.Objects, augment.Object{Box: b, Class: classes[k], Crowd: crowd[k]})
	}
	return out
}

// newPlanner returns the planner of a configuration's policies, nil where there are none. data.flip is a policy as well: the first, unless
// the list has its own.
func newPlanner(d *Dataset, c config.Data, seed uint64) (*augment.Planner, error) {
	list, err := augment.Expand(c.Augment)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	const flip = "hflip"
	if !slices.ContainsFunc(list, func(p augment.Policy) bool { return p.Name == flip }) {
		list = slices.Insert(list, 0, augment.Policy{Name: flip, Settings: map[string]float64{"probability": c.Flip}})
	}
	return augment.NewPlanner(images{d}, list, augment.Options{Seed: seed, MinVisible: c.MinVisible})
}

// EndEarly gives the number of the batch from which on policies with augment.Kind.Early end. Batches count from the beginning of the first
// epoch; without a call none ends. Batches that are being made at a call after the first Next may keep their policies.
func (l *Loader) EndEarly(batch int) { l.late.Store(int64(batch)) }

// compose draws a scene onto canvas i. An image that cannot be read is counted, and the scene is planned again without it: with another of
// its bucket where it is the scene's own.
func (l *Loader) compose(ctx context.Context, b *Batch, i int, j job) error {
	r := l.stream(j, i)
	k, skip := j.images[i], map[int]bool{}
	var last error
	for range attempts {
		at := augment.Place{Epoch: j.epoch, Number: j.places[i], Late: int64(j.number) >= l.late.Load(), Skip: skip}
		scene, objects := l.planner.Plan(at, k, augment.Canvas{W: b.W, H: b.H, Short: j.short, Long: l.c.MaxSide})
		sources, broken, err := l.read(ctx, scene)
		if err == nil {
			b.draw(i, picture.Input{Mean: l.c.Mean, Std: l.c.Std}, scene, sources)
			b.learn(i, objects)
			b.Index[i], b.Sizes[i], b.Names[i] = k, Size{b.W, b.H}, l.data.Image(k).FileName
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = err
		l.report(broken, err)
		skip[broken] = true
		if skip[k] {
			k = l.replacement(r, j.images[i])
		}
	}
	return unreadable(last)
}

// read decodes the images of a scene's layers and filters them. The error is of the image broken.
func (l *Loader) read(ctx context.Context, s augment.Scene) (sources []picture.Source, broken int, err error) {
	for _, layer := range s.Layers {
		p, _, _, err := picture.DecodeFor(ctx, l.data.File(layer.Index), l.target(layer))
		if err == nil {
			p, err = picture.Filter(p, layer.Filters)
		}
		if err != nil {
			release(sources)
			return nil, layer.Index, err
		}
		im := l.data.Image(layer.Index)
		sources = append(sources, picture.Source{Picture: p, W: im.Width, H: im.Height})
	}
	return sources, 0, nil
}

// target returns the size to which a layer's image is scaled, for fast_decode. Filters work on whole images.
func (l *Loader) target(layer augment.Layer) picture.Target {
	if !l.c.FastDecode || len(layer.Filters) > 0 {
		return nil
	}
	scale := math.Sqrt(layer.Position.Area())
	return func(w, h int) (int, int) {
		return max(int(math.Ceil(scale*float64(w))), 1), max(int(math.Ceil(scale*float64(h))), 1)
	}
}

// learn gives image i its objects.
func (b *Batch) learn(i int, objects []augment.Object) {
	b.Boxes[i], b.Classes[i], b.Crowd[i] = make([]box.Box, len(objects)), make([]int32, len(objects)), make([]bool, len(objects))
	for k, o := range objects {
		b.Boxes[i][k], b.Classes[i][k], b.Crowd[i][k] = o.Box, o.Class, o.Crowd
	}
}

// stream returns the random numbers of a batch's image that need no address of their own.
func (l *Loader) stream(j job, i int) *rand.Rand {
	return rand.New(rand.NewPCG(l.seed^0x9e3779b97f4a7c15, uint64(j.number)<<20|uint64(j.first+i)))
}
