package picture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sync/semaphore"

	"retinago/internal/memory"
)

// MaxPixels bounds the size of images that are decoded, and maxSide their width and height: a few bytes of a file can ask for
// terabytes.
const (
	MaxPixels = 178 << 20
	maxSide   = 1 << 20
)

// MemoryVariable names the environment variable with the MiB that decoding one image may take, instead of defaultMemory.
const MemoryVariable = "RETINAGO_PICTURE_MB"

// defaultMemory leaves room for a program's own memory below 512 MB. A process that can have less than four times as much takes a quarter
// of what it can have.
const defaultMemory = 304 << 20

var maxMemory, errMemory = memoryOf(os.Getenv(MemoryVariable), memory.ForProcess().Bytes)

// memoryOf reads the variable, in a process that can have so many bytes; 0 is unknown.
func memoryOf(v string, have int64) (int64, error) {
	most := int64(defaultMemory)
	if have > 0 {
		most = min(most, have/4)
	}
	if v == "" {
		return most, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 1 {
		return most, fmt.Errorf("%s=%s: give a whole number of MiB above 0", MemoryVariable, v)
	}
	return n << 20, nil
}

// MaxMemory returns the bytes that decoding one image may take at its peak: its file, its pixels and the decoder's memory. An image
// that needs more is an error before the memory is allocated.
func MaxMemory() int64 { return maxMemory }

// maxWork bounds the pixels that a decoder visits, one as often as it is visited: 89 million pixels in 24 passes.
const maxWork = 2 << 30

// blockWork is what one strip or tile costs besides its pixels, in visits of a pixel.
const blockWork = 8 << 10

// share waits until decoding may take so many bytes: images that take little never wait; all others together take MaxMemory, or more
// on machines with many cores. Memory that is not available at all is an error. give ends the share.
func share(ctx context.Context, bytes int64) (give func(), err error) {
	if bytes < large {
		return func() {}, nil
	}
	bytes = min(bytes, shared)
	if err := sharing.Acquire(ctx, bytes); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := memory.Check("decoding the image", bytes, "make it smaller, or give more memory"); err != nil {
		sharing.Release(bytes)
		return nil, costly{err}
	}
	return func() { sharing.Release(bytes) }, nil
}

var (
	shared  = max(maxMemory, int64(runtime.GOMAXPROCS(0))*large)
	sharing = semaphore.NewWeighted(shared)
)

// ErrTooMuch is the cause of the error for an image that takes more pixels, memory or time than the limits.
var ErrTooMuch = errors.New("the image takes too much")

// costly is such an error.
type costly struct{ error }

func (costly) Is(target error) bool { return target == ErrTooMuch }

func tooMuch(format string, a ...any) error { return costly{fmt.Errorf(format, a...)} }

func errSize(w, h int, head Header) error {
	return fmt.Errorf("it decodes to %dx%d pixels, its header says %dx%d", w, h, head.w, head.h)
}

// fits refuses what takes too much memory, with all that adds up to it.
func fits(format string, w, h int, bytes int64) error {
	if errMemory != nil {
		return errMemory
	}
	if bytes > maxMemory {
		return tooMuch("decoding this %s of %dx%d pixels takes %d MiB, more than the %d MiB of %s: make the image smaller or the limit larger",
			format, w, h, (bytes+1<<20-1)>>20, maxMemory>>20, MemoryVariable)
	}
	return nil
}

func tooMuchWork(what string, n, w, h int) error {
	return tooMuch("it has %d %s for %dx%d pixels: decoding them takes more than the %d million visits of a pixel that are spent on an image",
		n, what, w, h, maxWork>>20)
}
