package nn

import (
	"sync"
	"sync/atomic"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// The host computes operations for which engines have no kernel.

// hostFloats returns the values of a float32 tensor: without copying if the engine is HostReadable, otherwise a copy.
func hostFloats(e engine.Engine, t *tensor.Dense) ([]float32, error) {
	if h, ok := engine.As[engine.HostMemory](e, engine.HostReadable); ok {
		return h.Floats(t), nil
	}
	v := make([]float32, t.Shape().TotalSize())
	return v, e.Download(v, t)
}

// engineFloats sets the values of t to v.
func engineFloats(e engine.Engine, t *tensor.Dense, v []float32) error {
	if h, ok := engine.As[engine.HostMemory](e, engine.HostReadable); ok {
		copy(h.Floats(t), v)
		return nil
	}
	return e.Upload(t, v)
}

// blockRows is the number of pixels that are computed at once.
const blockRows = 256

// rows writes y [N,H,W,C]: f writes whole rows of C values of one image, from the same rows of x, which may be nil. Several threads call f.
func rows(e engine.Engine, y, x *tensor.Dense, f func(y, x []float32, image, c int)) error {
	s := y.Shape()
	pixels, c := s[1]*s[2], s[3]
	var in []float32
	var err error
	if x != nil {
		if in, err = hostFloats(e, x); err != nil {
			return err
		}
	}
	near, ok := engine.As[engine.HostMemory](e, engine.HostReadable)
	var out []float32
	if ok {
		out = near.Floats(y)
	} else {
		out = make([]float32, s.TotalSize())
	}
	blocks := (pixels + blockRows - 1) / blockRows
	parallel(e.Threads(), s[0]*blocks, func(i int) {
		image, from, to := block(i, blocks, pixels)
		var part []float32
		if in != nil {
			part = in[from*c : to*c]
		}
		f(out[from*c:to*c], part, image, c)
	})
	if ok {
		return nil
	}
	return e.Upload(y, out)
}

// block is the image of a block and its first and last pixel, counted over all images.
func block(i, blocks, pixels int) (image, from, to int) {
	image = i / blocks
	from = i % blocks * blockRows
	return image, image*pixels + from, image*pixels + min(from+blockRows, pixels)
}

// columnDots returns [n,c]: per image, the sums of a * b over pixels, both [n,pixels,c]. Blocks are summed in float32 and the blocks in
// float64, in an order that threads do not change.
func columnDots(a, b []float32, n, pixels, c, threads int) []float32 {
	blocks := (pixels + blockRows - 1) / blockRows
	parts := make([]float32, n*blocks*c)
	parallel(threads, n*blocks, func(i int) {
		_, from, to := block(i, blocks, pixels)
		sum := parts[i*c : (i+1)*c]
		a, b := a[from*c:to*c], b[from*c:to*c]
		for ; len(a) > 0; a, b = a[c:], b[c:] {
			a, b := a[:len(sum)], b[:len(sum)]
			for k := range sum {
				sum[k] += a[k] * b[k]
			}
		}
	})
	out := make([]float32, n*c)
	for i := range out {
		image, k := i/c, i%c
		sum := 0.0
		for j := range blocks {
			sum += float64(parts[(image*blocks+j)*c+k])
		}
		out[i] = float32(sum)
	}
	return out
}

// parallel calls f for 0 to n-1 on so many goroutines, and waits.
func parallel(threads, n int, f func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(threads, n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}
