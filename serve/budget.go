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

	"retinago/internal/media/picture"
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

func (b *budget) give(n int64) { b.left.Add(n) }

// body is bytes in memory that count against a budget.
type body struct {
	b    []byte
	from *budget
}

// release frees the memory.
func (v *body) release() {
	v.from.give(int64(cap(v.b)))
	v.b = nil
}

// bodyBytes is the first allocation; a body grows by doubling, so that a slow sender holds little memory.
const bodyBytes = 16 << 10

// read reads all of r into memory, up to MaxBody. size is its declared length, or -1.
func (s *Server) read(r io.Reader, size int64) (*body, error) {
	if size > s.o.MaxBody {
		return nil, tooLarge(s.o.MaxBody)
	}
	v := &body{from: &s.bodies}
	whole := false
	defer func() {
		if !whole {
			v.release()
		}
	}()
	for int64(len(v.b)) <= s.o.MaxBody {
		if len(v.b) == cap(v.b) {
			if err := v.grow(min(max(2*int64(cap(v.b)), bodyBytes), s.o.MaxBody+1)); err != nil {
				return nil, err
			}
		}
		n, err := r.Read(v.b[len(v.b):cap(v.b)])
		v.b = v.b[:len(v.b)+n]
		if errors.Is(err, io.EOF) && int64(len(v.b)) <= s.o.MaxBody {
			whole = true
			return v, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, s.unread(err)
		}
	}
	return nil, tooLarge(s.o.MaxBody)
}

// grow makes room for n bytes. The old bytes and the new ones both count until they are copied.
func (v *body) grow(n int64) error {
	if !v.from.take(n) {
		return busy(time.Second, "too many bytes are being received")
	}
	b := make([]byte, len(v.b), n)
	copy(b, v.b)
	v.from.give(int64(cap(v.b)))
	v.b = b
	return nil
}

// unread returns the problem of a body that could not be read.
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

// pixels bounds the memory of decoded images and of decoding, and the number of images that are decoded at once. Small images never wait for
// large ones, which have a budget of their own and leave a core free: 16 images that take a second each delay no small one.
type pixels struct{ small, large pool }

// pool holds bytes and cores that images share, in the order of their arrival.
type pool struct {
	most  int64
	bytes *semaphore.Weighted
	cores *semaphore.Weighted
}

func newPool(bytes, cores int64) pool {
	return pool{bytes, semaphore.NewWeighted(bytes), semaphore.NewWeighted(cores)}
}

// smallBytes is the upper bound of the memory to decode a small image: a JPEG of 8 million pixels takes as much.
const smallBytes = 32 << 20

// newPixels returns a budget for picturesHeld images of so many pixels, and for one image of any kind.
func newPixels(most, cores int) pixels {
	c := int64(cores)
	return pixels{newPool(2*c*smallBytes, c), newPool(max(picturesHeld*3*int64(most), picture.MaxMemory()), max(c-1, 1))}
}

// decoding waits for n bytes and a core, and returns a share that holds both.
func (p pixels) decoding(ctx context.Context, n int64) (*share, error) {
	l := p.small
	if n > smallBytes {
		l = p.large
	}
	n = min(n, l.most) // an image that takes more has the pool alone
	if err := l.bytes.Acquire(ctx, n); err != nil {
		return nil, err
	}
	if err := l.cores.Acquire(ctx, 1); err != nil {
		l.bytes.Release(n)
		return nil, err
	}
	return &share{l, n, true}, nil
}

// share is the bytes and the core that an image holds. decoded and release may be called more than once.
type share struct {
	pool
	n    int64
	core bool
}

// decoded frees the core and the bytes of decoding, and keeps n bytes for the decoded image.
func (s *share) decoded(n int64) {
	if s.core {
		s.core = false
		s.cores.Release(1)
	}
	if n < s.n {
		s.bytes.Release(s.n - n)
		s.n = n
	}
}

// release frees everything.
func (s *share) release() { s.decoded(0) }
