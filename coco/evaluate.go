package coco

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Evaluate scores detections by COCO's bbox metric, as pycocotools' evaluate, accumulate and summarize do, in the
// same float64 operations. Detections of a category that the ground truth does not have are left out and counted
// (Result.Unknown); a detection of an unknown image is an error.
//
// As in pycocotools: iscrowd overrides an annotation's "ignore"; a detection's area is its box's, an object's is its
// "area"; equal scores keep their order; and a match with the annotation whose id is 0 counts as none.
func Evaluate(gt *Dataset, dt []Detection, p Params) (*Result, error) {
	e, err := matched(gt, dt, p)
	if err != nil {
		return nil, err
	}
	return e.accumulate(), nil
}

// maxClasses bounds the arrays of a Result, of which a class takes 200 KB.
const maxClasses = 10_000

// matched checks the arguments and matches all detections with objects.
func matched(gt *Dataset, dt []Detection, p Params) (*evaluation, error) {
	p, err := p.withDefaults()
	if err != nil {
		return nil, err
	}
	x, err := gt.Index()
	if err != nil {
		return nil, fmt.Errorf("ground truth cannot be scored against:\n%w", err)
	}
	if n := len(x.Names); n > maxClasses {
		return nil, fmt.Errorf("%s: %d categories, and at most %d can be evaluated: keep some of them with `data subset -classes`", gt.Path, n, maxClasses)
	}
	if err := checkDetections(dt, x, gt.Path); err != nil {
		return nil, err
	}
	e, err := newEvaluation(gt, dt, x, p)
	if err != nil {
		return nil, err
	}
	parallel(p.Workers, len(e.pairs), 64, func() func(int) {
		m := newMatcher(e)
		return m.match
	})
	return e, nil
}

// pair is the objects and detections of one class in one image: the unit of matching.
type pair struct {
	class  int32
	gt, dt []int32 // indices into the annotations and the detections, in their order
	order  []int32 // dt by falling score, at most the largest MaxDets
	ranges span    // of outcomes, see evaluation
	counts [areaCount]int32
}

type span struct{ from, to int }

// outcome of one detection at one threshold and area.
type outcome uint8

const (
	ignored outcome = iota
	truePositive
	falsePositive
)

// evaluation holds what the stages share.
type evaluation struct {
	params  Params
	gt      *Dataset
	dt      []Detection
	index   *Index
	images  int // how many are evaluated
	unknown int // detections left out for their category
	pairs   []pair
	classes []span // pairs of each class

	// outcomes[pair.ranges.from + (a*T + t)*len(order) + rank]
	outcomes []outcome
}

// entry places an annotation or a detection: image and class, and its index.
type entry struct{ image, class, at int32 }

func newEvaluation(gt *Dataset, dt []Detection, x *Index, p Params) (*evaluation, error) {
	e := &evaluation{params: p, gt: gt, dt: dt, index: x}
	rank, err := e.imageRanks()
	if err != nil {
		return nil, err
	}
	gts := make([]entry, 0, len(gt.Annotations))
	for i := range gt.Annotations {
		a := &gt.Annotations[i]
		if r := rank[x.ImageOf[a.ImageID]]; r >= 0 {
			gts = append(gts, entry{r, int32(x.ClassOf[a.CategoryID]), int32(i)})
		}
	}
	dts := make([]entry, 0, len(dt))
	for i := range dt {
		r := rank[x.ImageOf[dt[i].ImageID]]
		class, known := x.ClassOf[dt[i].CategoryID]
		if !known {
			e.unknown++
		} else if r >= 0 {
			dts = append(dts, entry{r, int32(class), int32(i)})
		}
	}
	e.join(arrange(gts, len(gt.Images), len(x.Names)), arrange(dts, len(gt.Images), len(x.Names)))
	return e, nil
}

// imageRanks gives every image its place in ascending order of id, -1 for one that is not evaluated.
func (e *evaluation) imageRanks() ([]int32, error) {
	ids := slices.Clone(e.params.ImageIDs)
	if e.params.ImageIDs == nil {
		for i := range e.gt.Images {
			ids = append(ids, e.gt.Images[i].ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rank := make([]int32, len(e.gt.Images))
	for i := range rank {
		rank[i] = -1
	}
	for r, id := range ids {
		i, ok := e.index.ImageOf[id]
		if !ok {
			return nil, fmt.Errorf("image id %d is to be evaluated but is not among the images of %s", id, e.gt.Path)
		}
		rank[i] = int32(r)
	}
	e.images = len(ids)
	return rank, nil
}

// arrange orders entries by class, then image, then as they came: two stable counting sorts.
func arrange(in []entry, images, classes int) []entry {
	out := make([]entry, len(in))
	counting(out, in, images, func(e entry) int32 { return e.image })
	counting(in, out, classes, func(e entry) int32 { return e.class })
	return in
}

func counting(out, in []entry, n int, key func(entry) int32) {
	start := make([]int, n+1)
	for _, e := range in {
		start[key(e)+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	for _, e := range in {
		k := key(e)
		out[start[k]] = e
		start[k]++
	}
}

// join makes the pairs of every class and image that has objects or detections.
func (e *evaluation) join(gts, dts []entry) {
	gtAt, dtAt := make([]int32, len(gts)), make([]int32, len(dts))
	for i := range gts {
		gtAt[i] = gts[i].at
	}
	for i := range dts {
		dtAt[i] = dts[i].at
	}
	e.classes = make([]span, len(e.index.Names))
	size, g, d := 0, 0, 0
	for class := range e.classes {
		e.classes[class].from = len(e.pairs)
		for {
			image := int32(-1)
			if g < len(gts) && int(gts[g].class) == class {
				image = gts[g].image
			}
			if d < len(dts) && int(dts[d].class) == class && (image < 0 || dts[d].image < image) {
				image = dts[d].image
			}
			if image < 0 {
				break
			}
			g0, d0 := g, d
			for g < len(gts) && int(gts[g].class) == class && gts[g].image == image {
				g++
			}
			for d < len(dts) && int(dts[d].class) == class && dts[d].image == image {
				d++
			}
			n := min(d-d0, e.params.MaxDets[2]) * areaCount * len(e.params.IoUs)
			e.pairs = append(e.pairs, pair{class: int32(class), gt: gtAt[g0:g], dt: dtAt[d0:d], ranges: span{size, size + n}})
			size += n
		}
		e.classes[class].to = len(e.pairs)
	}
	e.outcomes = make([]outcome, size)
}

// parallel calls work(0..n-1), in chunks, from several goroutines; each makes its own worker.
func parallel(workers, n, chunk int, worker func() func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(workers, (n+chunk-1)/chunk) {
		group.Go(func() {
			work := worker()
			for {
				from := int(next.Add(int64(chunk))) - chunk
				if from >= n {
					return
				}
				for i := from; i < min(from+chunk, n); i++ {
					work(i)
				}
			}
		})
	}
	group.Wait()
}
