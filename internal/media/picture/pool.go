package picture

// #include <stdlib.h>
// #ifdef __GLIBC__
// #include <malloc.h>
// static void trim(void) { malloc_trim(0); }
// #else
// static void trim(void) {}
// #endif
import "C"

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// pool keeps freed memory for the next image or file. The kept memory is bounded, and returns to the system when nothing was decoded for
// a while.
type pool struct {
	mu    sync.Mutex
	free  [][]byte // the one that was given back last is last
	bytes int64    // of free
	fresh int64    // bytes of large pieces made since the last collection for one
	much  bool     // was used since the last rest
	last  time.Time
	timer *time.Timer // runs while there is something to give back
}

var held pool

const (
	// large is the size from which on garbage is collected before new memory is allocated.
	large = 64 << 20
	// idle is the time without decoding after which memory returns to the system.
	idle = time.Second
	// anySize is the capacity in bytes up to which a piece serves any smaller request; a larger piece exceeds a request by at most a half.
	anySize = 1 << 20
	// mostPieces bounds the pieces that a pool keeps.
	mostPieces = 256
)

// mostKept bounds the bytes that a pool keeps.
func mostKept() int64 { return 128<<20 + int64(runtime.GOMAXPROCS(0))<<24 }

// get returns a piece of n bytes with arbitrary content.
func (q *pool) get(n int) []byte {
	if b := q.take(n); b != nil {
		return b
	}
	q.room(int64(n))
	return make([]byte, n)
}

// take returns the smallest kept piece of at least n bytes, unless it is much larger; nil if there is none.
func (q *pool) take(n int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	best := -1
	for i, b := range q.free {
		if cap(b) >= n && cap(b) <= max(n+n/2, anySize) && (best < 0 || cap(b) < cap(q.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	b := q.free[best]
	q.free = slices.Delete(q.free, best, best+1)
	q.bytes -= int64(cap(b))
	return b[:n]
}

// put returns a piece to the pool.
func (q *pool) put(b []byte) {
	if cap(b) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free = append(q.free, b)
	q.bytes += int64(cap(b))
	q.used(int64(cap(b)))
	for most := mostKept(); q.bytes > most || len(q.free) > mostPieces; {
		q.bytes -= int64(cap(q.free[0]))
		q.free = slices.Delete(q.free, 0, 1)
	}
}

// room prepares for n bytes of new memory, here or in a decoder. If n is large, it first collects the garbage of earlier images, so that
// garbage does not add up.
func (q *pool) room(n int64) {
	if n < large {
		return
	}
	q.mu.Lock()
	full := q.fresh >= large || q.bytes >= large
	if full {
		q.free, q.bytes, q.fresh = nil, 0, 0
	}
	q.fresh += n
	q.used(n)
	q.mu.Unlock()
	if full {
		system()
	}
}

// done records that decoding took n bytes, some of which are garbage.
func (q *pool) done(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used(n)
}

// used starts the timer for an idle period after n bytes were used, with the lock held.
func (q *pool) used(n int64) {
	q.last = time.Now()
	q.much = q.much || n >= large/8
	if q.timer == nil {
		q.timer = time.AfterFunc(idle, q.rest)
	}
}

// rest returns all memory to the system after an idle period.
func (q *pool) rest() {
	q.mu.Lock()
	if left := idle - time.Since(q.last); left > 0 {
		q.timer.Reset(left)
		q.mu.Unlock()
		return
	}
	much := q.much
	q.free, q.bytes, q.much, q.timer = nil, 0, false, nil
	q.mu.Unlock()
	if much {
		system()
	}
}

// system collects garbage and returns free memory, Go's and C's, to the system.
func system() {
	debug.FreeOSMemory()
	C.trim()
}
