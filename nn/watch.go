package nn

import "time"

// Observe makes later runs call f after every operation, with its index in Layers and the time that it took. nil ends
// it. gorgonia calls its own sums of gradients without a word to the machine: the time between two operations is that
// of the sums which stand there, in proportion to their sizes; where none stands, it is the machine's own and unheard of.
// Operations that are computed at once are heard of with the last, each with its part of the time by its FLOPs; sums that they
// make took none. On an engine that is Async every operation is waited for, so that an observed run takes longer than others.
func (m *Machine) Observe(f func(layer int, d time.Duration)) {
	if f == nil {
		m.watch = nil
		return
	}
	w := &watch{f: f, wait: m.engine.Wait, at: map[*op]int{}, sums: map[int]int64{}}
	for i, n := range m.plan.order {
		if o, ok := n.Op().(*op); ok {
			w.at[o] = i
		} else if m.plan.joints.sums[n] != nil {
			w.sums[i] = 0
		} else {
			w.sums[i] = size(n)
		}
	}
	m.watch = w
}

// watch times one run after the other.
type watch struct {
	f    func(layer int, d time.Duration)
	wait func() error
	at   map[*op]int   // positions in the plan
	sums map[int]int64 // bytes of sums by position, 0 for what a joint makes
	next int           // the position that has not run
	last time.Time     // when the one before ended
}

func (w *watch) begin() { w.next, w.last = 0, time.Now() }

// end gives the time since the last operation to sums at the end.
func (w *watch) end() error {
	err := w.wait()
	w.between(len(w.at) + len(w.sums))
	return err
}

func (w *watch) enter(o *op) error {
	err := w.wait()
	w.between(w.at[o])
	return err
}

func (w *watch) leave(o *op) error {
	err := w.wait()
	w.next = w.at[o] + 1
	if o.joint != nil && !o.joint.done() {
		return err
	}
	now := time.Now()
	took := now.Sub(w.last)
	w.last = now
	if o.joint == nil {
		w.f(w.at[o], took)
		return err
	}
	var all int64
	for _, n := range o.joint.nodes {
		all += flops(n)
	}
	for _, n := range o.joint.nodes {
		w.f(w.at[n.Op().(*op)], time.Duration(float64(took)*float64(flops(n))/float64(max(all, 1))))
	}
	return err
}

// between gives the time since the last operation to the sums before position to.
func (w *watch) between(to int) {
	now := time.Now()
	var all int64
	for i := w.next; i < to; i++ {
		all += w.sums[i]
	}
	for i := w.next; i < to; i++ {
		if bytes, ok := w.sums[i]; ok {
			w.f(i, time.Duration(float64(now.Sub(w.last))*float64(bytes)/float64(max(all, 1))))
		}
	}
	w.next, w.last = to, now
}
