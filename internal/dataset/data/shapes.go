package data

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"retinago/coco"
	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// ShapesOptions describes a synthetic dataset. Zero values take the defaults in brackets.
type ShapesOptions struct {
	Train, Val int     // images [600, 100]
	Size       int     // long side in pixels [256]
	MinObjects int     // least shapes on an image that is not empty [1]
	MaxObjects int     // most shapes [10]
	MinSize    float64 // least diameter of a shape in pixels [16, or MaxSize if that is less]
	MaxSize    float64 // greatest [110, on images smaller than 256 as large a share of Size]
	Empty      float64 // share of images without shapes [.04]; negative is none
	// Imbalance is how many times as frequent the first class is as the last on images to train on, with equal ratios between; those to
	// evaluate on have all classes alike, so that the AP of each is of many shapes [1].
	Imbalance float64
	Seed      uint64
}

// mostImbalance is the upper bound of ShapesOptions.Imbalance: beyond it a class has no shape at all in any usual number of images.
const mostImbalance = 1e4

// shapeClasses are the classes and their category ids, which leave gaps as COCO's do.
var shapeClasses = []coco.Category{{ID: 1, Name: "circle"}, {ID: 2, Name: "square"}, {ID: 4, Name: "triangle"}, {ID: 7, Name: "star"}}

// Shapes writes a dataset of coloured shapes on textured backgrounds, among marks of no class: dir/train and dir/val
// with images, dir/train.json and dir/val.json in COCO format. Equal options make equal files.
func Shapes(dir string, o ShapesOptions) error {
	o = o.Defaults()
	if err := o.Check(); err != nil {
		return err
	}
	for i, split := range []struct {
		name string
		n    int
	}{{"train", o.Train}, {"val", o.Val}} {
		if split.name == "val" {
			o.Imbalance = 1
		}
		if err := o.split(dir, split.name, split.n, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

// Defaults fills the zero values.
func (o ShapesOptions) Defaults() ShapesOptions {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Train, 600)
	set(&o.Val, 100)
	set(&o.Size, 256)
	set(&o.MinObjects, 1)
	set(&o.MaxObjects, 10)
	if o.MaxSize == 0 {
		o.MaxSize = min(110, 110*float64(o.Size)/256)
	}
	if o.MinSize == 0 {
		o.MinSize = min(16, o.MaxSize)
	}
	if o.Empty == 0 {
		o.Empty = .04
	}
	if o.Imbalance == 0 {
		o.Imbalance = 1
	}
	return o
}

// Check returns what is wrong with the options, by the names that they have on the command line.
func (o ShapesOptions) Check() error {
	var errs []error
	bad := func(ok bool, format string, a ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("shapes: "+format, a...))
		}
	}
	bad(o.Train > 0 && o.Val > 0, "%d images to train on (-train) and %d to evaluate on (-val): give at least one each", o.Train, o.Val)
	bad(o.Size >= 64 && o.Size <= 4096, "a long side of %d pixels (-size): give 64 to 4096", o.Size)
	bad(o.MinObjects >= 1 && o.MaxObjects >= o.MinObjects, "%d to %d objects: give -min-objects of at least 1 and -max-objects of at least as many", o.MinObjects, o.MaxObjects)
	bad(o.MinSize >= 4 && o.MaxSize >= o.MinSize && o.MaxSize <= .7*float64(o.Size), "shapes of %g to %g pixels on images of %d: give -min-size of at least 4 and -max-size from that to %g, which is .7 of -size", o.MinSize, o.MaxSize, o.Size, .7*float64(o.Size))
	bad(o.Empty <= 1, "a share of %g empty images (-empty): give at most 1", o.Empty)
	bad(o.Imbalance >= 1 && o.Imbalance <= mostImbalance, "an imbalance of %g (-imbalance): give 1 to %g, the shapes of the most frequent class over those of the rarest", o.Imbalance, float64(mostImbalance))
	return errors.Join(errs...)
}

// split writes one folder of images and its JSON. Every image has a random stream of its own.
func (o ShapesOptions) split(dir, name string, n int, stream uint64) error {
	images := make([]coco.Image, n)
	objects := make([][]shape, n)
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		slots <- struct{}{}
		if failed.Load() != nil {
			break
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			s := newScene(o, rand.New(rand.NewPCG(o.Seed, stream<<32|uint64(i))))
			images[i] = coco.Image{ID: int64(i + 1), FileName: fmt.Sprintf("%05d.jpg", i+1), Width: s.pic.W, Height: s.pic.H}
			objects[i] = s.shapes
			path, err := file.Below(dir, filepath.Join(name, images[i].FileName))
			if err == nil {
				err = s.pic.WriteJPEG(path, 92)
			}
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		}()
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return fmt.Errorf("shapes: %w", *err)
	}
	d := &coco.Dataset{Images: images, Categories: shapeClasses}
	for i, list := range objects {
		for _, s := range list {
			d.Annotations = append(d.Annotations, s.annotation(int64(len(d.Annotations)+1), images[i]))
		}
	}
	path, err := file.Below(dir, name+".json")
	if err != nil {
		return fmt.Errorf("shapes: %w", err)
	}
	return d.Save(path)
}

// scene is an image in the making.
type scene struct {
	o      ShapesOptions
	r      *rand.Rand
	pic    *picture.Picture
	shapes []shape
}

func newScene(o ShapesOptions, r *rand.Rand) *scene {
	short := o.Size * 3 / 4
	sides := [][2]int{{o.Size, short}, {o.Size, short}, {short, o.Size}, {o.Size, o.Size}}[r.IntN(4)]
	s := &scene{o: o, r: r, pic: picture.New(sides[0], sides[1])}
	s.background()
	for range r.IntN(8) {
		s.distractor()
	}
	if r.Float64() < o.Empty {
		return s
	}
	want := o.MinObjects + r.IntN(o.MaxObjects-o.MinObjects+1)
	for tries := 0; len(s.shapes) < want && tries < 20*want; tries++ {
		s.add()
	}
	for _, v := range s.shapes {
		s.paint(v)
	}
	return s
}

// add places a shape where it covers little of the others.
func (s *scene) add() {
	// Sizes are even on a logarithmic scale: as many small as large ones.
	d := s.o.MinSize * math.Pow(s.o.MaxSize/s.o.MinSize, s.r.Float64())
	half := d / 2
	x := half + 1 + s.r.Float64()*(float64(s.pic.W)-d-2)
	y := half + 1 + s.r.Float64()*(float64(s.pic.H)-d-2)
	v := newShape(s.r, s.class(), x, y, half)
	for _, u := range s.shapes {
		if overlap(u, v) > .15*min(u.area(), v.area()) {
			return
		}
	}
	s.shapes = append(s.shapes, v)
}

// class draws a class. Shares of classes fall by equal ratios.
func (s *scene) class() int {
	n := len(shapeClasses)
	if s.o.Imbalance <= 1 {
		return s.r.IntN(n)
	}
	ratio := math.Pow(s.o.Imbalance, -1/float64(n-1)) // of a class to the one before it
	left := s.r.Float64() * (1 - math.Pow(ratio, float64(n))) / (1 - ratio)
	for k := range n - 1 {
		share := math.Pow(ratio, float64(k))
		if left < share {
			return k
		}
		left -= share
	}
	return n - 1
}

// overlap is the common area of two shapes' boxes.
func overlap(a, b shape) float64 {
	ax1, ay1, ax2, ay2 := a.bounds()
	bx1, by1, bx2, by2 := b.bounds()
	return max(min(ax2, bx2)-max(ax1, bx1), 0) * max(min(ay2, by2)-max(ay1, by1), 0)
}
