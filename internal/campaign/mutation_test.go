//go:build campaign

package campaign

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// mutant is a mutated image.
type mutant struct {
	from   string // its seed
	format string
	b      []byte
}

// largestMutant bounds mutants.
const largestMutant = 1 << 20

// mutate makes image number item of the campaign.
func mutate(all map[string][]seed, item int) mutant {
	draw := draws("pictures", item)
	of := all[order[draw.IntN(len(order))]]
	s := of[draw.IntN(len(of))]
	b := bytes.Clone(s.b)
	for range 1 + draw.IntN(1+draw.IntN(3)) {
		if draw.IntN(3) > 0 {
			b = structures[s.format](draw, b)
		} else {
			b = scramble(draw, b, of)
		}
		if len(b) == 0 {
			b = []byte{0}
		}
	}
	return mutant{s.name, s.format, b[:min(len(b), largestMutant)]}
}

// structures mutate what a format is made of, and make its checksums fit again.
var structures = map[string]func(draw *rand.Rand, b []byte) []byte{"jpg": mutateJPEG, "png": mutatePNG, "gif": mutateGIF, "bmp": mutateBMP, "tif": mutateTIFF, "webp": mutateWebP}

// edges are numbers at which programs fail, below 2^32.
var edges = []uint32{0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 500, 1000, 4096, 10000, 16383, 16384, 16385, 20000, 32767, 32768, 65534, 65535,
	65536, 1 << 17, 1 << 20, 1<<20 + 1, 1 << 24, 1<<24 - 1, 1 << 28, 1 << 30, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 2, 1<<32 - 1}

// number is an edge, a number near another, or any.
func number(draw *rand.Rand, near uint32) uint32 {
	switch draw.IntN(4) {
	case 0:
		return near + uint32(draw.IntN(9)) - 4
	case 1:
		return near << draw.IntN(8) >> draw.IntN(8)
	case 2:
		return draw.Uint32() >> draw.IntN(32)
	}
	return edges[draw.IntN(len(edges))]
}

// scramble changes bytes without knowledge of the format.
func scramble(draw *rand.Rand, b []byte, others []seed) []byte {
	at := draw.IntN(len(b))
	n := min(1+draw.IntN(1+draw.IntN(64)), len(b)-at)
	switch draw.IntN(10) {
	case 0, 1:
		for range 1 + draw.IntN(16) {
			b[draw.IntN(len(b))] ^= 1 << draw.IntN(8)
		}
	case 2:
		for range 1 + draw.IntN(8) {
			b[draw.IntN(len(b))] = byte(number(draw, 128))
		}
	case 3:
		clear(b[at : at+n])
	case 4:
		return b[:at]
	case 5: // twice
		return append(b[:at:at], b[max(0, at-n):]...)
	case 6: // left out
		return append(b[:at:at], b[at+n:]...)
	case 7: // the rest of another
		o := others[draw.IntN(len(others))].b
		return append(b[:at:at], o[draw.IntN(len(o)):]...)
	case 8: // near the beginning, where sizes are
		at = draw.IntN(min(len(b), 64))
		b[at] = byte(number(draw, uint32(b[at])))
	case 9:
		at = draw.IntN(min(len(b), 128))
		if at+4 <= len(b) {
			var order binary.ByteOrder = binary.LittleEndian
			if draw.IntN(2) == 0 {
				order = binary.BigEndian
			}
			if draw.IntN(2) == 0 {
				order.PutUint32(b[at:], number(draw, order.Uint32(b[at:])))
			} else {
				order.PutUint16(b[at:], uint16(number(draw, uint32(order.Uint16(b[at:])))))
			}
		}
	}
	return b
}

// put16 and put32 change numbers that are there.
func put16(draw *rand.Rand, order binary.ByteOrder, b []byte, at int) {
	if at >= 0 && at+2 <= len(b) {
		order.PutUint16(b[at:], uint16(number(draw, uint32(order.Uint16(b[at:])))))
	}
}

func put32(draw *rand.Rand, order binary.ByteOrder, b []byte, at int) {
	if at >= 0 && at+4 <= len(b) {
		order.PutUint32(b[at:], number(draw, order.Uint32(b[at:])))
	}
}

func put8(draw *rand.Rand, b []byte, at int) {
	if at >= 0 && at < len(b) {
		b[at] = byte(number(draw, uint32(b[at])))
	}
}

// part is a piece of a file.
type part struct{ from, to int }

// shuffle leaves out, repeats, exchanges or damages parts of a file.
func shuffle(draw *rand.Rand, b []byte, parts []part) []byte {
	if len(parts) == 0 {
		return b
	}
	p, q := parts[draw.IntN(len(parts))], parts[draw.IntN(len(parts))]
	switch draw.IntN(5) {
	case 0:
		return append(b[:p.from:p.from], b[p.to:]...)
	case 1, 2:
		times := 1 + draw.IntN(4)
		if draw.IntN(8) == 0 {
			times = 1 + draw.IntN(600)
		}
		times = min(times, largestMutant/max(p.to-p.from, 1))
		out := bytes.Clone(b[:p.to])
		for range times {
			out = append(out, b[p.from:p.to]...)
		}
		return append(out, b[p.to:]...)
	case 3: // q also stands before p
		return append(append(b[:p.from:p.from], b[q.from:q.to]...), b[p.from:]...)
	}
	if p.to > p.from {
		for range 1 + draw.IntN(8) {
			b[p.from+draw.IntN(p.to-p.from)] ^= byte(1 + draw.IntN(255))
		}
	}
	return b
}
