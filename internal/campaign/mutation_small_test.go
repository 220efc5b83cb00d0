//go:build campaign

package campaign

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

var little = binary.LittleEndian

// mutateGIF changes the screen, frames and their sizes, palettes, the width of codes.
func mutateGIF(draw *rand.Rand, b []byte) []byte {
	if len(b) < 13 {
		return b
	}
	at := 13
	if b[10]&0x80 != 0 {
		at += 3 << (b[10]&7 + 1)
	}
	var frames, all []part
	for at < len(b) && b[at] != 0x3b {
		from := at
		switch b[at] {
		case 0x2c:
			if at+10 > len(b) {
				return b
			}
			if f := b[at+9]; f&0x80 != 0 {
				at += 3 << (f&7 + 1)
			}
			at += 11
		case 0x21:
			at += 2
		default:
			at = len(b)
		}
		for at < len(b) && b[at] != 0 {
			at += 1 + int(b[at])
		}
		at++
		if at > len(b) {
			break
		}
		all = append(all, part{from, at})
		if b[from] == 0x2c {
			frames = append(frames, part{from, at})
		}
	}
	switch draw.IntN(6) {
	case 0:
		put16(draw, little, b, 6+2*draw.IntN(2))
	case 1:
		put8(draw, b, 10+draw.IntN(3))
	case 2, 3:
		if len(frames) > 0 {
			f := frames[draw.IntN(len(frames))]
			if draw.IntN(2) == 0 {
				put16(draw, little, b, f.from+1+2*draw.IntN(4))
			} else {
				put8(draw, b, f.from+9+draw.IntN(4)) // flags, width of codes, length of a block
			}
		}
	default:
		return shuffle(draw, b, all)
	}
	return b
}

// mutateBMP changes the two headers, masks and palette, or cuts the palette.
func mutateBMP(draw *rand.Rand, b []byte) []byte {
	switch draw.IntN(8) {
	case 0:
		put32(draw, little, b, 10) // where pixels are
	case 1:
		put32(draw, little, b, 14) // size of the header
	case 2, 3:
		put32(draw, little, b, 18+4*draw.IntN(2)) // width, height
	case 4:
		if len(b) > 34 {
			little.PutUint16(b[28:], []uint16{1, 2, 4, 8, 16, 24, 32, 64, uint16(draw.Uint32())}[draw.IntN(9)])
			little.PutUint32(b[30:], uint32(draw.IntN(8)))
		}
	case 5:
		put32(draw, little, b, 46) // colours
	case 6:
		put32(draw, little, b, 54+4*draw.IntN(8)) // masks, palette
	case 7: // runs, moves and ends of RLE
		if len(b) > 60 {
			at := 54 + draw.IntN(len(b)-56)
			copy(b[at:], [][]byte{{0, 0}, {0, 1}, {0, 2, 255, 255}, {255, 9}, {0, 255}}[draw.IntN(5)])
		}
	}
	return b
}

// mutateTIFF changes entries of directories, makes them point elsewhere, and adds tiles to strips.
func mutateTIFF(draw *rand.Rand, b []byte) []byte {
	if len(b) < 8 {
		return b
	}
	var order binary.ByteOrder = little
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return b
	}
	n := int(order.Uint16(b[at:]))
	if at+2+12*n > len(b) || n == 0 {
		return b
	}
	entry := at + 2 + 12*draw.IntN(n)
	switch draw.IntN(9) {
	case 0:
		put16(draw, order, b, at) // entries
	case 1:
		order.PutUint16(b[entry:], []uint16{254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 317, 320, 322, 323, 324, 325, 338, 339, 347}[draw.IntN(22)])
	case 2:
		order.PutUint16(b[entry+2:], uint16(draw.IntN(14))) // type
	case 3:
		put32(draw, order, b, entry+4) // count
	case 4, 5:
		put32(draw, order, b, entry+8) // value
	case 6:
		put16(draw, order, b, entry+8)
	case 7: // a compression
		for e := at + 2; e < at+2+12*n; e += 12 {
			if order.Uint16(b[e:]) == 259 {
				order.PutUint16(b[e+8:], []uint16{1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 50000}[draw.IntN(12)])
			}
		}
	case 8: // values that lie elsewhere: offsets and lengths of strips
		put32(draw, order, b, int(order.Uint32(b[entry+8:])))
	}
	return b
}

// mutateWebP changes sizes of chunks and of the image, and moves chunks.
func mutateWebP(draw *rand.Rand, b []byte) []byte {
	var all []part
	for at := 12; at+8 <= len(b); {
		to := at + 8 + int(little.Uint32(b[at+4:])+1)&^1
		if to > len(b) || to < at {
			break
		}
		all = append(all, part{at, to})
		at = to
	}
	if len(all) == 0 {
		return b
	}
	p := all[draw.IntN(len(all))]
	switch draw.IntN(7) {
	case 0:
		put32(draw, little, b, 4)
	case 1:
		put32(draw, little, b, p.from+4)
	case 2: // the image's sizes: VP8X at 4 and 7, VP8 at 6 and 8, VP8L in bits
		put16(draw, little, b, p.from+8+draw.IntN(10))
	case 3:
		for range 1 + draw.IntN(4) { // the first partition, codes and transforms
			put8(draw, b, p.from+8+draw.IntN(max(min(p.to-p.from-8, 48), 1)))
		}
	case 4:
		copy(b[p.from:], []string{"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP"}[draw.IntN(7)])
	default:
		b = shuffle(draw, b, all)
	}
	if draw.IntN(4) > 0 && len(b) > 8 && bytes.HasPrefix(b, []byte("RIFF")) {
		little.PutUint32(b[4:], uint32(len(b)-8))
	}
	return b
}
