//go:build gpu && linux && amd64

package cuda

// #include "cudnn.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// Assign matches anchors and objects, by IoU or by ATSS. Objects without area are left out.
func (e *Engine) Assign(t engine.Targets, objects [][]engine.Object, p engine.MatchParams) (func() ([][2]int, error), error) {
	if len(t.Labels) > engine.MostLevels {
		return nil, fmt.Errorf("cuda: targets of %d levels, %d at most", len(t.Labels), engine.MostLevels)
	}
	words, n, err := targetWords(t, objects)
	if err != nil {
		return nil, err
	}
	if p.Nearest > engine.MostNearest {
		return nil, fmt.Errorf("cuda: %d candidates of a level, %d at most", p.Nearest, engine.MostNearest)
	}
	pictures, anchors, levels := len(objects), t.Anchors.Shape()[0], len(t.Labels)
	// Counts, what objects and anchors find of each other, and candidates; the first two begin as zeros.
	counts, found, candidates := aligned(8*pictures), aligned(4*n), 0
	if p.Nearest > 0 {
		found, candidates = aligned(8*pictures*anchors), aligned(4*n*levels*p.Nearest)
	}
	base, err := e.space(assignmentOf, int64(counts+found+candidates+4*len(words)))
	if err != nil {
		return nil, err
	}
	e.assigned = pictures
	foundAt := base + uint64(counts)
	candidatesAt := foundAt + uint64(found)
	wordsAt := candidatesAt + uint64(candidates)
	err = e.do(func() error {
		if err := cu.MemsetD8Async(cu.DevicePtr(base), 0, int64(counts+found), e.stream); err != nil {
			return err
		}
		return e.staging.send(e, cu.DevicePtr(wordsAt), unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 4*len(words)))
	})
	if err != nil {
		return nil, err
	}
	grid := [3]int{max(1, min(blocks(anchors), mostGrids)), pictures, 1}
	common := []uint64{at(t.Anchors), wordsAt, long(pictures), long(levels)}
	learn := slices.Concat(eight(t.Labels), eight(t.Deltas))
	if p.Nearest > 0 {
		if n > 0 {
			k := long(p.Nearest)
			err = errors.Join(e.launch("atss_nearest", [3]int{n, levels, 1}, threads, slices.Concat([]uint64{candidatesAt}, common, []uint64{k})...),
				e.launch("atss_claim", [3]int{n, 1, 1}, threads, slices.Concat([]uint64{foundAt, candidatesAt}, common, []uint64{k})...))
		}
		err = errors.Join(err, e.launch("atss", grid, threads, slices.Concat([]uint64{base, foundAt}, common, []uint64{float(p.CrowdIoF)}, learn)...))
	} else {
		if p.AllowLowQuality && n > 0 {
			err = e.launch("assign_tops", grid, threads, slices.Concat([]uint64{foundAt}, common)...)
		}
		limits := []uint64{float(p.Foreground), float(p.Background), float(p.CrowdIoF), flag(p.AllowLowQuality)}
		err = errors.Join(err, e.launch("assign", grid, threads, slices.Concat([]uint64{base, foundAt}, common, limits, learn)...))
	}
	if err != nil {
		return nil, err
	}
	return e.later(cu.DevicePtr(base), pictures)
}

// aligned rounds bytes up, so that what follows them may be of any type.
func aligned(bytes int) int { return (bytes + 255) &^ 255 }

// Normalize computes factors on losses by the counts of the last Assign.
func (e *Engine) Normalize(class, box *tensor.Dense, p engine.NormalizeParams) error {
	if n := size(class); n != e.assigned {
		return fmt.Errorf("cuda: factors of %d images, %d have targets", n, e.assigned)
	}
	if p.Average != nil {
		return e.launch("assign_average", [3]int{1, 1, 1}, threads, at(p.Average), at(class), at(box), uint64(e.scratch[assignmentOf].p), long(size(class)), float(p.BoxWeight))
	}
	return e.each("assign_factors", size(class), at(class), at(box), uint64(e.scratch[assignmentOf].p), long(size(class)), flag(p.ByPicture), flag(p.Counted), float(p.BoxWeight))
}

// targetWords are levels and objects as the kernels read them, and the number of objects.
func targetWords(t engine.Targets, objects [][]engine.Object) (words []int32, n int, err error) {
	bits := func(f float32) int32 { return int32(math.Float32bits(f)) }
	first := 0
	for _, l := range t.Labels {
		words = append(words, int32(first))
		first += size(l) / len(objects)
	}
	if all := t.Anchors.Shape()[0]; all != first {
		return nil, 0, fmt.Errorf("cuda: %d labels for each image, and %d anchors", first, all)
	}
	words = append(words, int32(first))
	var all []int32
	for i, picture := range objects {
		words = append(words, int32(n))
		for _, crowd := range []bool{false, true} {
			for g, o := range picture {
				w, h := o.X2-o.X1, o.Y2-o.Y1
				if o.Class < 0 {
					return nil, 0, fmt.Errorf("cuda: object %d of image %d has class %d", g, i, o.Class)
				}
				if o.Crowd != crowd || !crowd && !(w > 0 && h > 0) {
					continue
				}
				all = append(all, bits(o.X1), bits(o.Y1), bits(o.X2), bits(o.Y2), bits(w*h), o.Class, int32(flag(crowd)), 0)
				n++
			}
		}
	}
	return append(append(words, int32(n)), all...), n, nil
}

// countBuffer carries the counts of an Assign to the host.
type countBuffer struct {
	mem   unsafe.Pointer // pinned
	bytes int
	read  cu.Event // the counts are there
	taken bool     // a caller waits for them
}

// later queues the copying of counts [n,2] and returns what waits for it.
func (e *Engine) later(from cu.DevicePtr, n int) (func() ([][2]int, error), error) {
	c, err := e.pinnedCounts(8 * n)
	if err != nil {
		return nil, err
	}
	err = e.do(func() error {
		if err := cu.MemcpyDtoHAsync(c.mem, from, int64(8*n), e.stream); err != nil {
			return fmt.Errorf("cuda: reading counts: %w", err)
		}
		return c.read.Record(e.stream)
	})
	if err != nil {
		return nil, err
	}
	c.taken = true
	return func() ([][2]int, error) {
		c.taken = false
		if err := e.do(c.read.Synchronize); err != nil {
			return nil, fmt.Errorf("cuda: work on %v failed: %w", e.device, err)
		}
		out := make([][2]int, n)
		for i, v := range unsafe.Slice((*[2]int32)(c.mem), n) {
			out[i] = [2]int{int(v[0]), int(v[1])}
		}
		return out, nil
	}, nil
}

// pinnedCounts returns a free buffer of that many bytes, or a new one.
func (e *Engine) pinnedCounts(bytes int) (*countBuffer, error) {
	for _, c := range e.counts {
		if c.bytes >= bytes && !c.taken {
			return c, nil
		}
	}
	c := &countBuffer{bytes: bytes}
	if r := C.retinago_pinned(e.context(), &c.mem, C.size_t(bytes)); r != C.CUDA_SUCCESS {
		return nil, fmt.Errorf("cuda: pinned memory: CUDA error %d", int(r))
	}
	e.counts = append(e.counts, c)
	return c, e.do(func() (err error) {
		c.read, err = cu.MakeEvent(cu.DisableTiming)
		return err
	})
}

// freeTallies gives the pinned memory back. The engine's context is current.
func (e *Engine) freeTallies() error {
	var errs []error
	for _, c := range e.counts {
		errs = append(errs, cu.DestroyEvent(&c.read), cu.MemFreeHost(c.mem))
	}
	e.counts = nil
	return errors.Join(errs...)
}
