//go:build campaign

package campaign

import (
	"encoding/binary"
	"math/rand/v2"
)

// segments are a JPEG's markers with what follows them; a scan goes with its data.
func segments(b []byte) (all []part, marker []byte) {
	for i := 2; i+4 <= len(b) && b[i] == 0xff; {
		m := b[i+1]
		if m == 0xd9 {
			break
		}
		to := i + 2 + int(binary.BigEndian.Uint16(b[i+2:]))
		if m == 0xda {
			for to < len(b)-1 && (b[to] != 0xff || b[to+1] == 0 || b[to+1]&0xf8 == 0xd0) {
				to++
			}
		}
		if to > len(b) {
			break
		}
		all, marker = append(all, part{i, to}), append(marker, m)
		i = to
	}
	return all, marker
}

// mutateJPEG changes frames, scans and tables.
func mutateJPEG(draw *rand.Rand, b []byte) []byte {
	all, marker := segments(b)
	if len(all) == 0 {
		return b
	}
	pick := func(is func(m byte) bool) (part, bool) {
		for _, i := range draw.Perm(len(all)) {
			if is(marker[i]) {
				return all[i], true
			}
		}
		return part{}, false
	}
	frame := func(m byte) bool { return m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc }
	scan := func(m byte) bool { return m == 0xda }
	be := binary.BigEndian
	switch draw.IntN(12) {
	case 0:
		if p, ok := pick(frame); ok {
			put16(draw, be, b, p.from+5+2*draw.IntN(2)) // height or width
		}
	case 1:
		if p, ok := pick(frame); ok { // precision, components, ids, sampling, tables
			put8(draw, b, p.from+4+draw.IntN(max(p.to-p.from-4, 1)))
		}
	case 2:
		if p, ok := pick(frame); ok { // baseline, progressive, lossless, arithmetic
			b[p.from+1] = []byte{0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc9, 0xca, 0xcb}[draw.IntN(8)]
		}
	case 3, 4:
		if p, ok := pick(scan); ok { // components, tables, the band of coefficients, bits
			put8(draw, b, p.from+4+draw.IntN(10))
		}
	case 5:
		if p, ok := pick(func(m byte) bool { return m == 0xc4 || m == 0xdb }); ok {
			put8(draw, b, p.from+4+draw.IntN(max(p.to-p.from-4, 1)))
		}
	case 6:
		put16(draw, be, b, all[draw.IntN(len(all))].from+2) // a length
	case 7: // restarts, before a scan
		if p, ok := pick(scan); ok {
			dri := be.AppendUint16([]byte{0xff, 0xdd, 0, 4}, uint16(number(draw, 4)))
			return append(append(b[:p.from:p.from], dri...), b[p.from:]...)
		}
	case 8: // many scans
		if p, ok := pick(scan); ok {
			return shuffle(draw, b, []part{p})
		}
	case 9: // how colours are meant
		adobe := append([]byte{0xff, 0xee, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00"...)
		return append(append(b[:2:2], append(adobe, byte(draw.IntN(4)))...), b[2:]...)
	case 10: // damage within the data of a scan
		if p, ok := pick(scan); ok && p.to > p.from+16 {
			b[p.from+16+draw.IntN(p.to-p.from-16)] = byte(number(draw, 0xff))
		}
	default:
		return shuffle(draw, b, all)
	}
	return b
}
