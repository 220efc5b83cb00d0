package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// budget counts bytes that may be held at once.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// body is bytes in memory that count.
type body struct {
	b    []byte
	from *budget
}

// release gives the memory back.
func (v *body) release() {
	v.from.left.Add(int64(cap(v.b)))
	v.b = nil
}

// bodyBytes are read first; a body grows by doubling, so that a sender who is slow holds little.
const bodyBytes = 16 << 10

// read takes all of r into memory, up to MaxBody. size is what is said of its length, or -1.
func (s *Server) read(r io.Reader, size int64) (*body, error) {
	if size > s.o.MaxBody {
		return nil, tooLarge(s.o.MaxBody)
	}
	v := &body{from: &s.bodies}
	grow := func(n int64) error {
		if !s.bodies.take(n) { // before the old is given back: both are held for a moment
			return busy(time.Second, "too many bytes are being received")
		}
		b := make([]byte, len(v.b), n)
		copy(b, v.b)
		s.bodies.left.Add(int64(cap(v.b)))
		v.b = b
		return nil
	}
	for {
		if len(v.b) == cap(v.b) {
			n := min(max(2*int64(cap(v.b)), bodyBytes), s.o.MaxBody+1)
			if int64(len(v.b)) > s.o.MaxBody {
				v.release()
				return nil, tooLarge(s.o.MaxBody)
			}
			if err := grow(n); err != nil {
				v.release()
				return nil, err
			}
		}
		n, err := r.Read(v.b[len(v.b):cap(v.b)])
		v.b = v.b[:len(v.b)+n]
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) && int64(len(v.b)) <= s.o.MaxBody {
			return v, nil
		}
		v.release()
		if errors.Is(err, io.EOF) {
			return nil, tooLarge(s.o.MaxBody)
		}
		return nil, s.unread(err)
	}
}

// unread is why a body could not be read.
func (s *Server) unread(err error) *problem {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(s.o.MaxBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "slow", "the body did not come within %v", s.o.BodyTimeout)
	}
	return refuse(http.StatusBadRequest, "body", "the body cannot be read: %v", err)
}

func tooLarge(most int64) *problem {
	return refuse(http.StatusRequestEntityTooLarge, "large", "the body has more than the %d bytes that are taken", most)
}

// pixels bounds decoded pictures: their size, and how many are decoded at once.
type pixels struct {
	size  *semaphore.Weighted
	cores *semaphore.Weighted
}

// decoding waits for the memory of n pixels and for a core. The core is given back by the first function, the memory by
// the second.
func (p pixels) decoding(ctx context.Context, n int64) (decoded, released func(), err error) {
	if err := p.size.Acquire(ctx, n); err != nil {
		return nil, nil, err
	}
	if err := p.cores.Acquire(ctx, 1); err != nil {
		p.size.Release(n)
		return nil, nil, err
	}
	return func() { p.cores.Release(1) }, func() { p.size.Release(n) }, nil
}
