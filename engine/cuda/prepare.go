//go:build gpu && linux && amd64

package cuda

// #include "../formula/layout.h"
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// area, canvas and layer are engine/formula's.
type area struct{ x1, y1, x2, y2 int32 }

type canvas struct {
	layer, layersEnd, fill, fillEnd int32
	scale, shift                    [3]float32
}

type layer struct {
	pixels                       int64
	mapping                      engine.Map
	stepX, startX, stepY, startY float64
	area                         area
	w, h, mirrorX, mirrorY       int32
	mapped, recoloured           int32
	colour                       [12]float32
	gamma, weight                float32
}

// These compile where both are as large.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(area{})-C.sizeof_struct_area]
	_ = [1]struct{}{}[unsafe.Sizeof(canvas{})-C.sizeof_struct_canvas]
	_ = [1]struct{}{}[unsafe.Sizeof(layer{})-C.sizeof_struct_layer]
)

// drawings are canvases as the kernel reads them, and the bytes of their layers.
type drawings struct {
	canvases []canvas
	layers   []layer
	fill     []area
	pix      [][]uint8
	bytes    int64 // of pix
}

// add adds canvas i, of w x h pixels.
func (d *drawings) add(i int, c engine.Canvas, w, h int) error {
	k := canvas{layer: int32(len(d.layers)), fill: int32(len(d.fill)), scale: c.Scale, shift: c.Shift}
	for n, l := range c.Layers {
		if l.W < 1 || l.H < 1 || max(l.W, l.H) > math.MaxInt32 || len(l.Pix) != 3*l.W*l.H {
			return fmt.Errorf("cuda: canvas %d, layer %d: %d bytes of %dx%d pixels", i, n, len(l.Pix), l.W, l.H)
		}
		d.layers = append(d.layers, flat(l, d.bytes, w, h))
		d.pix = append(d.pix, l.Pix)
		d.bytes += int64(len(l.Pix))
	}
	for _, a := range c.Fill {
		d.fill = append(d.fill, flatArea(a, w, h))
	}
	k.layersEnd, k.fillEnd = int32(len(d.layers)), int32(len(d.fill))
	d.canvases = append(d.canvases, k)
	return nil
}

// flat is a layer on a canvas of w x h pixels, its bytes at a place among those of all.
func flat(l engine.Layer, at int64, w, h int) layer {
	return layer{pixels: at, mapping: l.Map, stepX: l.X.Step, startX: l.X.Start, stepY: l.Y.Step, startY: l.Y.Start, area: flatArea(l.Area, w, h), w: int32(l.W), h: int32(l.H),
		mirrorX: int32(flag(l.X.Mirror)), mirrorY: int32(flag(l.Y.Mirror)), mapped: int32(flag(l.Map != engine.Map{})), recoloured: int32(flag(l.Colour != [12]float32{})),
		colour: l.Colour, gamma: l.Gamma, weight: l.Weight}
}

func flatArea(a engine.Area, w, h int) area {
	a = a.Common(engine.Area{X2: w, Y2: h})
	return area{int32(a.X1), int32(a.Y1), int32(a.X2), int32(a.Y2)}
}

// heads are the tables as bytes, in the order of the kernel's arguments.
func (d *drawings) heads() [][]byte {
	return [][]byte{asBytes(d.canvases), asBytes(d.layers), asBytes(d.fill)}
}

func asBytes[T any](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}

// Prepare draws canvases.
func (e *Engine) Prepare(images *tensor.Dense, p []engine.Canvas) error {
	s := images.Shape()
	if len(p) != s[0] {
		return fmt.Errorf("cuda: %d drawings for %d canvases", len(p), s[0])
	}
	var d drawings
	for i, c := range p {
		if err := d.add(i, c, s[2], s[1]); err != nil {
			return err
		}
	}
	all := append(d.heads(), d.pix...)
	starts, size := make([]uint64, len(all)), int64(0)
	for i, b := range all {
		starts[i] = uint64(size)
		size += int64(len(b))
		if i < 3 {
			size = (size + 7) &^ 7 // the next table has numbers of 8 bytes
		}
	}
	base, err := e.space(picturesOf, max(size, 1))
	if err != nil {
		return err
	}
	err = e.do(func() error {
		for i, b := range all {
			if err := e.staging.send(e, cu.DevicePtr(base+starts[i]), b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	pixels := base + uint64(size-d.bytes)
	return e.launch("prepare", [3]int{min(blocks(s[1]*s[2]), mostGrids), len(p), 1}, threads, at(images), pixels, base+starts[0], base+starts[1], base+starts[2], long(s[1]), long(s[2]))
}
