//go:build gpu && linux && amd64

package cuda

// #include "../formula/constants.h"
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

// Of kernels/detect.cu.
const (
	digitBins      = C.DIGIT_BINS // of a radix selection's histogram
	selectionBytes = int(C.sizeof_struct_selection)
	objectBytes    = int(C.sizeof_struct_object)
	columnsOfFound = C.FOUND_COLUMNS // box, score, class
	mostScans      = 1024
	logitsPerScan  = 16 * threads
)

// digits are the parts of a key that a selection goes through, from the highest bit on: the bits from shift up to above. The lower
// half is a place, whose high digits are 0 where a level is small.
var digits = [...]struct{ above, shift int }{{64, 53}, {53, 42}, {42, 32}, {32, 21}, {21, 10}, {10, 0}}

// Detect makes detections: no wait but for what it returns.
func (e *Engine) Detect(h engine.Heads, p []engine.Choice, thin bool) ([][]engine.Found, error) {
	levels := len(h.Logits)
	if levels > engine.MostLevels {
		return nil, fmt.Errorf("cuda: detections of %d levels, %d at most", levels, engine.MostLevels)
	}
	d := detection{engine: e, heads: h, pictures: len(p), words: choiceWords(h, p)}
	top := 0
	for _, l := range h.Logits {
		d.largest = max(d.largest, size(l)/len(p))
	}
	for _, c := range p {
		top = max(top, min(c.TopK, d.largest))
	}
	d.k, d.room = max(top, 1), 64
	for d.room < 2*top {
		d.room *= 2
	}
	for _, c := range p {
		if n := levels * d.k; c.Most > 0 && c.Most < n {
			d.most = max(d.most, c.Most)
		} else {
			d.most = n
		}
	}
	if err := d.allocate(); err != nil {
		return nil, err
	}
	if err := d.candidates(); err != nil {
		return nil, err
	}
	if !thin {
		return d.all()
	}
	return d.thin()
}

// detection is one call of Detect.
type detection struct {
	engine   *Engine
	heads    engine.Heads
	pictures int
	words    []int32
	largest  int // logits of an image's largest level
	k        int // candidates of a level
	room     int // for keys of a level, a power of two: the last digits need not be looked at where they fit
	most     int // boxes of an image

	// On the GPU.
	selections, bins, keys, found, places, kept, wanted, out uint64
}

func (d *detection) segments() int { return d.pictures * len(d.heads.Logits) }

// allocate lays out the scratch space and sends what is wanted there.
func (d *detection) allocate() error {
	s := d.segments()
	all := int64(0)
	take := func(n int) (at uint64) {
		at = uint64(all)
		all += int64(n+255) &^ 255
		return at
	}
	places := []struct {
		to *uint64
		n  int
	}{{&d.selections, s * selectionBytes}, {&d.bins, s * digitBins * 4}, {&d.keys, s * d.room * 8}, {&d.found, s * d.k * columnsOfFound * 4}, {&d.places, s * d.k * 4},
		{&d.kept, s * d.k * objectBytes}, {&d.wanted, 4 * len(d.words)}, {&d.out, d.pictures * d.outBytes()}}
	for _, p := range places {
		*p.to = take(p.n)
	}
	base, err := d.engine.space(detectionsOf, all)
	if err != nil {
		return err
	}
	for _, p := range places {
		*p.to += base
	}
	return d.engine.do(func() error {
		// Selections and bins begin with 0; keys come after them.
		if err := cu.MemsetD8Async(cu.DevicePtr(d.selections), 0, int64(d.keys-d.selections), d.engine.stream); err != nil {
			return err
		}
		return d.engine.staging.send(d.engine, cu.DevicePtr(d.wanted), unsafe.Slice((*byte)(unsafe.Pointer(&d.words[0])), 4*len(d.words)))
	})
}

// outBytes is the size of an image's boxes after NMS, with their number.
func (d *detection) outBytes() int { return 4 * (1 + d.most*columnsOfFound) }

// candidates queues selection, sorting and decoding.
func (d *detection) candidates() error {
	e, s, n, levels, classes := d.engine, d.segments(), long(d.pictures), long(len(d.heads.Logits)), long(d.heads.Classes)
	scans := [3]int{max(1, min((d.largest+logitsPerScan-1)/logitsPerScan, mostScans)), s, 1}
	logits := eight(d.heads.Logits)
	for i, g := range digits {
		if i >= 3 && g.shift < 32 && d.largest <= 1<<g.shift {
			continue // these digits are 0
		}
		if err := e.launch("top_count", scans, threads, append([]uint64{d.bins, d.selections, d.wanted, n, levels, classes, long(g.above), long(g.shift)}, logits...)...); err != nil {
			return err
		}
		if err := e.launch("top_narrow", [3]int{s, 1, 1}, threads, d.selections, d.bins, d.wanted, n, levels, long(g.above), long(g.shift), long(d.room)); err != nil {
			return err
		}
	}
	if err := e.launch("top_take", scans, threads, append([]uint64{d.keys, d.selections, d.wanted, n, levels, classes, long(d.room)}, logits...)...); err != nil {
		return err
	}
	if err := e.launch("top_sort", [3]int{s, 1, 1}, threads, d.keys, d.selections, d.wanted, n, levels, long(d.room)); err != nil {
		return err
	}
	return e.each("top_decode", s*d.k, append([]uint64{d.found, d.keys, d.selections, d.wanted, at(d.heads.Anchors), n, levels, classes, long(d.room), long(d.k)}, eight(d.heads.Deltas)...)...)
}

// all reads the candidates.
func (d *detection) all() ([][]engine.Found, error) {
	per := len(d.heads.Logits) * d.k * columnsOfFound
	v, err := d.read(d.found, d.pictures*per)
	if err != nil {
		return nil, err
	}
	out := make([][]engine.Found, d.pictures)
	for i := range out {
		out[i] = foundIn(v[i*per : (i+1)*per])
	}
	return out, nil
}

// thin queues NMS and reads what it leaves.
func (d *detection) thin() ([][]engine.Found, error) {
	e, n, levels, k := d.engine, long(d.pictures), long(len(d.heads.Logits)), long(d.k)
	if err := e.each("order_scores", d.segments()*d.k, d.places, d.found, d.selections, n, levels, k); err != nil {
		return nil, err
	}
	if err := e.launch("thin", [3]int{d.pictures, 1, 1}, threads, d.out, d.kept, d.found, d.places, d.selections, d.wanted, n, levels, long(d.heads.Classes), k, long(d.most)); err != nil {
		return nil, err
	}
	per := d.outBytes() / 4
	v, err := d.read(d.out, d.pictures*per)
	if err != nil {
		return nil, err
	}
	out := make([][]engine.Found, d.pictures)
	for i := range out {
		row := v[i*per : (i+1)*per]
		out[i] = foundIn(row[1 : 1+int(row[0])*columnsOfFound])
	}
	return out, nil
}

// read waits and copies n values to the host.
func (d *detection) read(from uint64, n int) ([]float32, error) {
	v := make([]float32, n)
	if n == 0 {
		return v, nil
	}
	return v, d.engine.read(unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*n), cu.DevicePtr(from))
}

// foundIn are the boxes of rows of x1, y1, x2, y2, score and class, without those of class -1.
func foundIn(v []float32) []engine.Found {
	var out []engine.Found
	for ; len(v) > 0; v = v[columnsOfFound:] {
		if v[5] >= 0 {
			out = append(out, engine.Found{X1: v[0], Y1: v[1], X2: v[2], Y2: v[3], Score: v[4], Class: int32(v[5])})
		}
	}
	return out
}

// choiceWords are the choices, levels and classes' thresholds as the kernels read them.
func choiceWords(h engine.Heads, p []engine.Choice) []int32 {
	bits := func(f float32) int32 { return int32(math.Float32bits(f)) }
	var out []int32
	table := false
	for _, c := range p {
		byClass := c.Floors != nil || c.Least != nil
		table = table || byClass
		out = append(out, int32(min(c.TopK, math.MaxInt32)), int32(min(c.Most, math.MaxInt32)), int32(flag(c.Agnostic)), int32(flag(byClass)), bits(c.Floor), bits(c.IoU), bits(c.W), bits(c.H))
	}
	first := 0
	for _, l := range h.Logits {
		n := size(l) / len(p) / h.Classes
		out = append(out, int32(first), int32(n))
		first += n
	}
	if !table {
		return out
	}
	for _, c := range p {
		for k := range h.Classes {
			floor, least := c.Floor, float32(0)
			if c.Floors != nil {
				floor = c.Floors[k]
			}
			if c.Least != nil {
				least = c.Least[k]
			}
			out = append(out, bits(floor), bits(least))
		}
	}
	return out
}

// eight are the addresses of up to engine.MostLevels tensors, as arguments.
func eight(t []*tensor.Dense) []uint64 {
	out := make([]uint64, engine.MostLevels)
	for i, v := range t {
		out[i] = at(v)
	}
	return out
}
