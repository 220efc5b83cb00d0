package serve

import (
	"context"
	"fmt"
	"math/bits"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"retinago/infer"
)

// queue gathers the prepared pictures of one model into batches.
//
//	enter -> (decode, prepare) -> run: wait, network -> (boxes, NMS, draw) -> leave
type queue struct {
	net    Network
	places int           // pictures between enter and leave
	most   int           // of them in one run of the network
	delay  time.Duration // that one waits at most for others
	turn   chan struct{} // holds a value while a network runs, of any model
	count  counter

	mu      sync.Mutex
	inside  int           // places taken
	coming  int           // of them, those that may yet wait for the network
	waiting []*job        // for the network, in the order of arrival
	mean    time.Duration // that a picture takes in the network, of late
	closed  bool
	wake    chan struct{} // has a value when any of these changed
}

// counter hears what becomes of pictures.
type counter interface {
	ran(n int, network time.Duration) // a batch
	left(after time.Duration)         // a picture, its place
}

// job is a picture that waits for the network.
type job struct {
	in      *infer.Input
	arrived time.Time
	done    chan outcome // with room for one
}

// outcome is a picture's part of a batch.
type outcome struct {
	*batch
	k    int // its number in the batch
	wait time.Duration
	err  error
}

// batch is what the network said, shared by those whose pictures it was.
type batch struct {
	*infer.Outputs
	n int
}

// place is the right to one picture on the way.
type place struct {
	q      *queue
	since  time.Time
	coming bool
}

func newQueue(n Network, o Options, turn chan struct{}, c counter) *queue {
	return &queue{net: n, places: o.Queue, most: o.Batch, delay: o.Delay, turn: turn, count: c, wake: make(chan struct{}, 1)}
}

// enter takes a place, unless all are taken or those before will need longer than the request has.
func (q *queue) enter(within time.Duration) (*place, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.full(within); err != nil {
		return nil, err
	}
	q.inside++
	q.coming++
	return &place{q, time.Now(), true}, nil
}

// peek is enter without taking: it refuses early what enter would most likely refuse.
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
		return busy(need-within, "the %d pictures before need %v", q.inside, need.Round(time.Millisecond))
	}
	return nil
}

// came says that the picture will not join a batch any more, or has.
func (p *place) came() {
	if p.coming {
		p.coming = false
		p.q.coming--
		p.q.changed()
	}
}

// leave gives the place back.
func (p *place) leave() {
	p.q.mu.Lock()
	defer p.q.mu.Unlock()
	p.came()
	p.q.inside--
	p.q.changed()
	p.q.count.left(time.Since(p.since))
}

// run sends a picture through the network, which releases it. Whoever gets no error releases the outcome's batch.
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
	o := <-j.done // it is in the network: that is a matter of one run
	return o, o.err
}

// forget takes a job out of those that wait, if it is still there.
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

// close lets nobody enter, and ends work once all have left.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed()
}

// work runs batches until close.
func (q *queue) work() {
	for {
		q.turn <- struct{}{}
		jobs, wait, closed := q.take(time.Now())
		if len(jobs) > 0 {
			q.forward(jobs)
			<-q.turn
			continue
		}
		<-q.turn
		if closed {
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

// take chooses a batch: the picture that came first and, in their order, those of its canvas. Without one it says how long to
// wait, 0 for as long as nothing changes. A batch is a power of two, so that few graphs serve all.
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

// forward runs the network on a batch and tells each picture's owner.
func (q *queue) forward(jobs []*job) {
	begin := time.Now()
	in := make([]*infer.Input, len(jobs))
	for i, j := range jobs {
		in[i] = j.in
	}
	out, err := q.outputs(in)
	took := time.Since(begin)
	for _, v := range in {
		v.Release()
	}
	b := &batch{Outputs: out, n: len(jobs)}
	q.mu.Lock()
	q.mean += (took/time.Duration(len(jobs)) - q.mean) / 8
	q.mu.Unlock()
	if err == nil {
		q.count.ran(len(jobs), out.Network)
	}
	for k, j := range jobs {
		j.done <- outcome{b, k, begin.Sub(j.arrived), err}
	}
}

// outputs makes an error of a panic: one batch must not end the server.
func (q *queue) outputs(in []*infer.Input) (out *infer.Outputs, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("serve: the network panics: %v\n%s", v, debug.Stack())
		}
	}()
	return q.net.Forward(context.Background(), in)
}
