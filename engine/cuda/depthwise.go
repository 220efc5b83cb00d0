//go:build gpu && linux && amd64

package cuda

import (
	"gorgonia.org/tensor"

	"retinago/engine"
)

// depthwise recognises a convolution with one filter per channel, which has kernels here.
func depthwise(x, w *tensor.Dense, p engine.ConvParams) bool {
	c, s := x.Shape()[3], w.Shape()
	return p.Groups == c && c > 1 && s[0] == c && s[2] == s[3]
}

func depthwiseArgs(x, w, y *tensor.Dense, p engine.ConvParams) []uint64 {
	xs, ys := x.Shape(), y.Shape()
	return []uint64{long(xs[0]), long(xs[1]), long(xs[2]), long(xs[3]), long(ys[1]), long(ys[2]), long(w.Shape()[2]), long(p.Stride), long(p.Pad)}
}

func (e *Engine) depthwiseForward(y, x, w, scale *tensor.Dense, p engine.ConvParams) error {
	return e.each(e.of("depthwise", y), size(y), append([]uint64{at(y), at(x), at(w), maybe(scale)}, depthwiseArgs(x, w, y, p)...)...)
}

func (e *Engine) depthwiseData(dx, dy, w, scale *tensor.Dense, p engine.ConvParams) error {
	return e.each(e.of("depthwise_data", dx), size(dx), append([]uint64{at(dx), at(dy), at(w), maybe(scale)}, depthwiseArgs(dx, w, dy, p)...)...)
}

func (e *Engine) depthwiseWeights(dw, dy, x, scale *tensor.Dense, p engine.ConvParams) error {
	c, taps := dw.Shape()[0], dw.Shape()[2]*dw.Shape()[3]
	wide, chunks, per, threads := columns(size(dy)/c, c)
	part, err := e.space(partsOf, int64(8*chunks*taps*c))
	if err != nil {
		return err
	}
	args := append(append([]uint64{part, at(dy), at(x)}, depthwiseArgs(x, dw, dy, p)...), long(per))
	if err := e.launch(e.of("depthwise_sums", x), [3]int{wide, chunks, taps}, threads, args...); err != nil {
		return err
	}
	return e.each("depthwise_weights", size(dw), at(dw), part, maybe(scale), long(chunks), long(c), long(taps))
}
