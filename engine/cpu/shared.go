package cpu

// #include "kernels.h"
import "C"

import (
	"os"
	"strconv"
	"strings"
	"time"

	"retinago/internal/processors"
)

// sharing shortens the time for which OpenMP's threads spin while they wait, if other programs need the processors too. libgomp spins
// 300,000 times, longer than a time slice, before a thread sleeps, but only 1000 times while there are more OpenMP threads than processors.
// If the program has its processors for itself, also under a quota of their time, the long wait is better: pauses between kernels are
// shorter than waking a thread takes. Beside other programs, threads that wait take time from those that work. sharing then adds two
// idle threads more than there are processors, which selects the short wait.
type sharing struct {
	threads int
	idle    *C.struct_rn_idle
	looked  time.Time
	delayed time.Duration
}

const (
	lookEvery = time.Second
	// Above manyDelays, the share of time for which a thread waits for a processor, waits become short; below fewDelays they become long
	// again. One busy program beside two threads on two processors delays each by a third.
	manyDelays, fewDelays = .25, .1
)

// due reports whether it is time to look.
func (s *sharing) due(now time.Time) bool {
	return s.threads > 1 && now.Sub(s.looked) >= lookEvery
}

// look measures the delays and adjusts the waits. It is called on the thread that computes.
func (s *sharing) look(now time.Time) {
	d, ok := delay()
	if !ok {
		return
	}
	// Under a quota all threads stop for the rest of a period; other programs do not cause that.
	d -= processors.Throttled() / time.Duration(s.threads)
	if !s.looked.IsZero() {
		s.judge(float64(d-s.delayed) / float64(now.Sub(s.looked)))
	}
	s.looked, s.delayed = now, d
}

// judge decides by the share of time in which the thread waited for a processor.
func (s *sharing) judge(share float64) {
	switch {
	case share > manyDelays:
		s.set(true)
	case share < fewDelays:
		s.set(false)
	}
}

// set makes waits short or long.
func (s *sharing) set(short bool) {
	switch {
	case short && s.idle == nil:
		s.idle = C.rn_idle_start(C.int(s.threads))
	case !short && s.idle != nil:
		C.rn_idle_stop(s.idle)
		s.idle = nil
	}
}

// delay returns how long the calling thread has waited for a processor since it began. Linux reports it in nanoseconds, after the time
// for which the thread has run.
func delay() (time.Duration, bool) {
	b, err := os.ReadFile("/proc/thread-self/schedstat")
	if err != nil {
		return 0, false
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(f[1], 10, 64)
	return time.Duration(n), err == nil
}
