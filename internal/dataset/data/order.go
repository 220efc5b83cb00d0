package data

import "math/rand/v2"

// job is a batch to be made: images and the canvas that they go onto.
type job struct {
	number   int // from the beginning of the loader, for random streams
	epoch    int
	position int // in the epoch
	images   []int
	places   []int // of images in the order of the epoch
	first    int   // the place of images[0] in the batch
	short    int
	canvas   Size
}

// share returns the job with its share number part of parts of the images only.
func (j job) share(part, parts int) job {
	if parts == 1 {
		return j
	}
	n := len(j.images) / parts
	j.first = part * n
	j.images, j.places = j.images[j.first:j.first+n], j.places[j.first:j.first+n]
	return j
}

// order decides which images form the batches of an epoch.
type order struct {
	sizes    []Size
	shorts   []int
	long     int
	multiple int
	batch    int
	seed     uint64
	bucket   []int     // of each image, by aspect
	times    []float64 // how often each image comes in an epoch, on average; nil is once
	total    int       // images of an epoch, the sum of times
	canvases [][]Size  // [short side][bucket]
}

// newOrder gives images canvases, of the last short side at most so many.
func newOrder(sizes []Size, shorts []int, long, multiple, most, batch int, seed uint64) *order {
	o := &order{sizes: sizes, shorts: shorts, long: long, multiple: multiple, batch: batch, seed: seed, total: len(sizes)}
	// Buckets are made for the last short side; other sides take the same images together.
	resized := make([]Size, len(sizes))
	for i, s := range sizes {
		resized[i] = Resized(s, shorts[len(shorts)-1], long)
	}
	bucket, last := bucketize(resized, multiple, most)
	o.bucket = bucket
	for _, short := range shorts {
		c := make([]Size, len(last))
		for i, s := range sizes {
			c[o.bucket[i]] = c[o.bucket[i]].cover(Resized(s, short, long).Up(multiple))
		}
		o.canvases = append(o.canvases, c)
	}
	return o
}

// perEpoch is the number of batches of an epoch: images that do not fill one more batch wait for the next epoch's
// shuffle.
func (o *order) perEpoch() int { return o.total / o.batch }

// drawn returns the images of an epoch in random order. With times, an image comes as often as they say, rounded down or up at random
// so that the mean over epochs is kept; their number is the same in each epoch.
func (o *order) drawn(r *rand.Rand) []int {
	all := r.Perm(len(o.sizes))
	if o.times == nil {
		return all
	}
	// Systematic sampling: the images' times lie one after the other on a line, and one of every whole step from a random start is taken.
	out := make([]int, 0, o.total)
	start, sum := r.Float64(), 0.0
	for n, i := range all {
		if sum += o.times[i]; n == len(all)-1 {
			sum = float64(o.total) // without the error of the additions
		}
		for float64(len(out))+start < sum {
			out = append(out, i)
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// largest is the canvas that any batch fits on.
func (o *order) largest() Size {
	var s Size
	for _, c := range o.canvases {
		for _, v := range c {
			s = s.cover(v)
		}
	}
	return s
}

// epoch returns the batches of an epoch, whose images are drawn, in random order. Images of one bucket go together; what is left over in the
// buckets is mixed on a canvas that covers it.
func (o *order) epoch(e int) []job {
	r := rand.New(rand.NewPCG(o.seed, uint64(e)))
	open := make([][]int, len(o.canvases[0])) // places of images
	var jobs []job
	order := o.drawn(r)
	add := func(places []int, canvas func(short int) Size) {
		s := r.IntN(len(o.shorts))
		images := make([]int, len(places))
		for k, p := range places {
			images[k] = order[p]
		}
		jobs = append(jobs, job{epoch: e, images: images, places: places, short: o.shorts[s], canvas: canvas(s)})
	}
	for p, i := range order {
		b := o.bucket[i]
		if open[b] = append(open[b], p); len(open[b]) == o.batch {
			add(open[b], func(s int) Size { return o.canvases[s][b] })
			open[b] = nil
		}
	}
	var rest []int
	for _, places := range open {
		rest = append(rest, places...)
	}
	for ; len(rest) >= o.batch; rest = rest[o.batch:] {
		places := rest[:o.batch:o.batch]
		add(places, func(s int) (c Size) {
			for _, p := range places {
				c = c.cover(o.canvases[s][o.bucket[order[p]]])
			}
			return c
		})
	}
	r.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	for i := range jobs {
		jobs[i].position, jobs[i].number = i, e*o.perEpoch()+i
	}
	return jobs
}

// once returns batches that show every image exactly once, unshuffled, bucket by bucket. What does not fill a batch goes one
// by one, so that a bucket has graphs of two sizes at most.
func (o *order) once() []job {
	short, canvases := o.shorts[len(o.shorts)-1], o.canvases[len(o.canvases)-1]
	members := make([][]int, len(canvases))
	for i, b := range o.bucket {
		members[b] = append(members[b], i)
	}
	var jobs []job
	for b, images := range members {
		for len(images) > 0 {
			n := 1
			if len(images) >= o.batch {
				n = o.batch
			}
			jobs = append(jobs, job{number: len(jobs), position: len(jobs), images: images[:n], short: short, canvas: canvases[b]})
			images = images[n:]
		}
	}
	return jobs
}
