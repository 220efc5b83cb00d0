package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/progress"
)

// Headers reads the sizes of images from their files' first bytes.
type Headers struct {
	Log   io.Writer // receives progress every five seconds, in a terminal as a line that is written anew; nil discards it
	Cache string    // folder of what was read before; empty is none, see CacheFolder

	known  sync.Map     // path -> known: what this Headers has read
	opened atomic.Int64 // files that were read, not taken from the cache
}

// known is a header and what its file was when it was read.
type known struct {
	stamp
	header
}

// Sizes reads the headers of images, and returns the function that gives their sizes by path.
func (r *Headers) Sizes(root string, paths []string) func(path string) (w, h int, err error) {
	seen, err := r.read(context.Background(), root, paths)
	at := make(map[string]header, len(paths))
	for i := range seen {
		at[paths[i]] = seen[i]
	}
	return func(path string) (int, int, error) {
		h, ok := at[path]
		if !ok && err == nil {
			return picture.Size(path)
		}
		return h.w, h.h, errors.Join(h.err, err)
	}
}

// period is the time between two lines of progress, linePeriod that between two states of a terminal's line. Most datasets are read before
// the first.
const period, linePeriod = 5 * time.Second, 250 * time.Millisecond

// read returns what the files' headers say, in the order of paths; root names the cache of a folder.
func (r *Headers) read(ctx context.Context, root string, paths []string) ([]header, error) {
	kept := openCache(r.Cache, root, len(paths))
	out := make([]header, len(paths))
	stamps := make([]stamp, len(paths))
	var next, done atomic.Int64
	var workers sync.WaitGroup
	// Files of a slow disk or of a network are waited for together.
	for range 4 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(paths)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				out[i], stamps[i] = r.one(paths[i], kept)
				done.Add(1)
			}
		})
	}
	stop := r.report(&done, len(paths))
	workers.Wait()
	stop()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	kept.save(paths, out, stamps)
	return out, nil
}

// stamp is a file's size and time of modification. Its zero value is of a file that is not kept.
type stamp struct{ size, time int64 }

func stampOf(info fs.FileInfo) stamp { return stamp{info.Size(), info.ModTime().UnixNano()} }

// one reads a header, or takes it from the cache.
func (r *Headers) one(path string, kept *cache) (header, stamp) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		w, h, err := picture.Size(path)
		return header{w, h, err}, stamp{}
	}
	now := stampOf(info)
	if w, h, ok := kept.find(path, now); ok {
		return header{w, h, nil}, now
	}
	if v, ok := r.known.Load(path); ok && v.(known).stamp == now {
		return v.(known).header, now
	}
	r.opened.Add(1)
	w, h, err := picture.Size(path)
	out := header{w, h, err}
	r.known.Store(path, known{now, out})
	return out, now
}

// report prints progress until stop is called.
func (r *Headers) report(done *atomic.Int64, total int) (stop func()) {
	if r.Log == nil {
		return func() {}
	}
	line := progress.On(r.Log)
	every := period
	if line != nil {
		every = linePeriod
	}
	end := make(chan struct{})
	var printed sync.WaitGroup
	printed.Go(func() {
		begin := time.Now()
		defer line.Clear()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			n := max(done.Load(), 1)
			left := progress.Left(begin, n, int64(total))
			if line != nil {
				line.Show(progress.Status{What: fmt.Sprintf("sizes of images %d/%d", n, total), Done: n, Total: int64(total), Left: left})
				continue
			}
			fmt.Fprintf(r.Log, "images  sizes of %d of %d read, %s left\n", n, total, left.Round(time.Second))
		}
	})
	return func() { close(end); printed.Wait() }
}
