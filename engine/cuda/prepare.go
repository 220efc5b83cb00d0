//go:build gpu && linux && amd64

package cuda

// #include "../formula/layout.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// placing is engine/formula's.
type placing struct {
	pixels                   int64
	fromW, fromH, w, h, flip int32
	scale, shift             [3]float32
	_                        int32
}

var _ = [1]struct{}{}[unsafe.Sizeof(placing{})-C.sizeof_struct_placing] // compiles where both are as large

// Prepare puts pictures of bytes onto canvases.
func (e *Engine) Prepare(images *tensor.Dense, p []engine.Picture) error {
	s := images.Shape()
	if len(p) != s[0] {
		return fmt.Errorf("cuda: %d pictures for %d canvases", len(p), s[0])
	}
	all := make([]placing, len(p))
	head := len(all) * int(unsafe.Sizeof(placing{}))
	bytes := head
	for i, v := range p {
		empty := v.W == 0 && v.H == 0 && len(v.Pix) == 0
		if !empty && (v.W < 1 || v.H < 1 || v.W > s[2] || v.H > s[1] || v.FromW < 1 || v.FromH < 1 || len(v.Pix) != 3*v.FromW*v.FromH) {
			return fmt.Errorf("cuda: picture %d: %d bytes of %dx%d pixels as %dx%d on a canvas of %dx%d", i, len(v.Pix), v.FromW, v.FromH, v.W, v.H, s[2], s[1])
		}
		all[i] = placing{pixels: int64(bytes - head), fromW: int32(v.FromW), fromH: int32(v.FromH), w: int32(v.W), h: int32(v.H), flip: int32(flag(v.Flip)), scale: v.Scale, shift: v.Shift}
		bytes += len(v.Pix)
	}
	base, err := e.space(picturesOf, int64(bytes))
	if err != nil {
		return err
	}
	err = e.do(func() error {
		if err := e.staging.send(e, cu.DevicePtr(base), unsafe.Slice((*byte)(unsafe.Pointer(&all[0])), head)); err != nil {
			return err
		}
		for i, v := range p {
			if err := e.staging.send(e, cu.DevicePtr(base+uint64(head)+uint64(all[i].pixels)), v.Pix); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.launch("prepare", [3]int{min(blocks(s[1]*s[2]), mostGrids), len(p), 1}, threads, at(images), base+uint64(head), base, long(s[1]), long(s[2]))
}
