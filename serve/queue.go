package serve

import (
	"context"
	"math/bits"
	"net/http"
	"slices"
	"sync"
	"time"

	"retinago/infer"
)

// queue collects the prepared images of one model into batches.
//
//	enter -> (decode, prepare) -> run: wait, network -> (boxes, NMS, draw) -> leave
type queue struct {
	net    Network
	places int           // most images between enter and leave
	most   int           // most images in one batch
	delay  time.Duration // longest time that an image waits for others
	turn   chan struct{} // holds a value while a network runs, of any model
	count  counter
	panics *panics

	mu      sync.Mutex
	inside  int           // places taken
	taken   []*place      // the places taken, in the order in which they were taken
	coming  int           // images with a place that are not yet prepared
	waiting []*job        // for the network, in the order of arrival
	mean    time.Duration // recent mean time of an image in the network
	closed  bool
	wake    chan struct{} // has a value when any of these changed
}

// counter counts batches and images.
type counter interface {
	ran(n int, network time.Duration) // a batch
	left(after time.Duration)         // an image leaves its place
}

// job is an image that waits for the network.
type job struct {
	in      *infer.Input
	arrived time.Time
	done    chan outcome // with room for one
}

// outcome is the result for an image of a batch.
type outcome struct {
	*batch
	k    int // its number in the batch
	wait time.Duration
	err  error
}

// batch is the network's outputs, shared by the requests of its images.
type batch struct {
	*infer.Outputs
	n int
}

// place is the place of one image between the body of its request and its answer.
type place struct {
	q      *queue
	since  time.Time
	coming bool
}

func newQueue(n Network, o Options, turn chan struct{}, c counter, p *panics) *queue {
	return &queue{net: n, places: o.Queue, most: o.Batch, delay: o.Delay, turn: turn, count: c, panics: p, wake: make(chan struct{}, 1)}
}

// enter takes a place, unless all are taken or the images before this one need longer than the request's timeout.
func (q *queue) enter(within time.Duration) (*place, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.full(within); err != nil {
		return nil, err
	}
	q.inside++
	q.coming++
	p := &place{q, time.Now(), true}
	q.taken = append(q.taken, p)
	return p, nil
}

// oldest returns how long the oldest place has been taken, 0 if none is.
func (q *queue) oldest(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.taken) == 0 {
		return 0
	}
	return now.Sub(q.taken[0].since)
}

// batchTime estimates the time of the largest batch from recent images.
func (q *queue) batchTime() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Duration(q.most) * q.mean
}

// peek is enter without taking a place: it refuses a request early that enter would most likely refuse.
func (q *queue) peek(within time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full(within)
}

func (q *queue) full(within time.Duration) error {
	need := time.Duration(q.inside) * q.mean
	switch {
	case q.closed:
		return refuse(http.StatusServiceUnavailable, "stopping", "the server stops")
	case q.inside >= q.places:
		return busy(need, "all %d places are taken", q.places)
	case need > within:
		return busy(need-within, "the %d images before need %v", q.inside, need.Round(time.Millisecond))
	}
	return nil
}

// came records that the image waits for a batch, or will never do so.
func (p *place) came() {
	if p.coming {
		p.coming = false
		p.q.coming--
		p.q.changed()
	}
}

// leave frees the place.
func (p *place) leave() {
	p.q.mu.Lock()
	defer p.q.mu.Unlock()
	p.came()
	p.q.inside--
	p.q.taken = slices.DeleteFunc(p.q.taken, func(v *place) bool { return v == p })
	p.q.changed()
	p.q.count.left(time.Since(p.since))
}

// run sends an image through the network, which releases it. While the image waits, run returns when ctx ends.
func (p *place) run(ctx context.Context, in *infer.Input) (outcome, error) {
	q := p.q
	j := &job{in, time.Now(), make(chan outcome, 1)}
	q.mu.Lock()
	q.waiting = append(q.waiting, j)
	p.came()
	q.mu.Unlock()
	select {
	case o := <-j.done:
		return o, o.err
	case <-ctx.Done():
	}
	if q.forget(j) {
		in.Release()
		return outcome{}, ctx.Err()
	}
	o := <-j.done // the image is in the network, which takes one run at most
	return o, o.err
}

// forget removes a job from those that wait, if it is still there.
func (q *queue) forget(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, v := range q.waiting {
		if v == j {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// changed is called with the lock held.
func (q *queue) changed() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close admits no more images, and ends work once all have left.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed()
}

// work runs batches until close.
func (q *queue) work() {
	for {
		ran, wait, closed := q.next()
		switch {
		case ran:
			continue
		case closed:
			return
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-q.wake:
		case <-due:
		}
	}
}

// next runs a batch in its turn, if there is one.
func (q *queue) next() (ran bool, wait time.Duration, closed bool) {
	q.turn <- struct{}{}
	defer func() { <-q.turn }()
	jobs, wait, closed := q.take(time.Now())
	if len(jobs) > 0 {
		q.forward(jobs)
	}
	return len(jobs) > 0, wait, closed
}

// take chooses a batch: the image that arrived first and the next ones of its canvas, in their order. If there is none yet, it returns how
// long to wait, 0 to wait for a change. The size of a batch is a power of two, so that few graphs are needed.
func (q *queue) take(now time.Time) (jobs []*job, wait time.Duration, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, 0, q.closed && q.inside == 0
	}
	first := q.waiting[0]
	n := 0
	for _, v := range q.waiting {
		if v.in.Canvas == first.in.Canvas {
			n++
		}
	}
	if left := first.arrived.Add(q.delay).Sub(now); n < q.most && q.coming > 0 && left > 0 {
		return nil, left, false
	}
	n = 1 << (bits.Len(uint(min(n, q.most))) - 1)
	rest := q.waiting[:0:0]
	for _, v := range q.waiting {
		if len(jobs) < n && v.in.Canvas == first.in.Canvas {
			jobs = append(jobs, v)
		} else {
			rest = append(rest, v)
		}
	}
	q.waiting = rest
	return jobs, 0, false
}

// forward runs the network on a batch and sends each job its outcome. A panic fails the batch, not the program.
func (q *queue) forward(jobs []*job) {
	sent := 0
	defer func() {
		if v := recover(); v != nil {
			err := q.panics.caught(v, "batch", len(jobs))
			for _, j := range jobs[sent:] {
				j.done <- outcome{err: err}
			}
		}
	}()
	begin := time.Now()
	out, err := q.outputs(jobs)
	b := &batch{Outputs: out, n: len(jobs)}
	took := time.Since(begin)
	q.mu.Lock()
	q.mean += (took/time.Duration(len(jobs)) - q.mean) / 8
	q.mu.Unlock()
	if err == nil {
		q.count.ran(len(jobs), out.Network)
	}
	for k, j := range jobs {
		j.done <- outcome{b, k, begin.Sub(j.arrived), err}
		sent++
	}
}

// outputs runs the network and releases its inputs.
func (q *queue) outputs(jobs []*job) (*infer.Outputs, error) {
	in := make([]*infer.Input, len(jobs))
	for i, j := range jobs {
		in[i] = j.in
		defer j.in.Release()
	}
	return q.net.Forward(context.Background(), in)
}
