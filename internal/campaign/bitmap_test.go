//go:build campaign

package campaign

import (
	"encoding/binary"
	"fmt"
)

// bitmapHeader is a BMP with a header of 40 bytes, a palette of so many colours, and pixel data.
func bitmapHeader(w, h int32, bits uint16, compression, colours uint32, data []byte) []byte {
	le := binary.LittleEndian
	start := 54 + 4*colours
	if compression == 3 {
		start += 12
	}
	b := le.AppendUint32([]byte("BM"), start+uint32(len(data)))
	b = le.AppendUint32(le.AppendUint32(b, 0), start)
	b = le.AppendUint32(b, 40)
	b = le.AppendUint32(le.AppendUint32(b, uint32(w)), uint32(h))
	b = le.AppendUint16(le.AppendUint16(b, 1), bits)
	b = le.AppendUint32(le.AppendUint32(b, compression), uint32(len(data)))
	b = le.AppendUint32(le.AppendUint32(b, 0), 0)
	b = le.AppendUint32(le.AppendUint32(b, colours), 0)
	if compression == 3 { // masks of red, green and blue
		for _, m := range []uint32{0xf800, 0x07e0, 0x001f} {
			b = le.AppendUint32(b, m)
		}
	}
	for i := range colours {
		b = append(b, byte(i*37), byte(i*91), byte(i*13), 0)
	}
	return append(b, data...)
}

// bitmaps are BMPs of all depths, upside down and upright, with run lengths and masks.
func bitmaps() []seed {
	const w, h = 23, 17
	var out []seed
	add := func(name string, b []byte) { out = append(out, seed{name, "bmp", b}) }
	for _, bits := range []int{1, 4, 8, 16, 24, 32} {
		row := (w*bits + 31) / 32 * 4
		data := make([]byte, row*h)
		for i := range data {
			data[i] = byte(i * 7)
		}
		colours := uint32(0)
		if bits <= 8 {
			colours = 1 << bits
		}
		add(fmt.Sprintf("%d bits", bits), bitmapHeader(w, h, uint16(bits), 0, colours, data))
		add(fmt.Sprintf("%d bits from the top", bits), bitmapHeader(w, -h, uint16(bits), 0, colours, data))
		if bits == 16 {
			add("masks", bitmapHeader(w, h, 16, 3, 0, data))
		}
		if bits == 8 {
			add("two colours", bitmapHeader(w, h, 8, 0, 2, data))
		}
	}
	var eight, four []byte // run lengths: a run, pixels as they are, end of line; a move; end of all
	for range h {
		eight = append(eight, 10, 5, 0, 5, 1, 2, 3, 4, 5, 0, 8, 200, 0, 0)
		four = append(four, 12, 0x35, 0, 5, 0x12, 0x34, 0x50, 0, 6, 0x71, 0, 0)
	}
	add("RLE of 8 bits", bitmapHeader(w, h, 8, 1, 256, append(eight, 0, 1)))
	add("RLE of 4 bits", bitmapHeader(w, h, 4, 2, 16, append(four, 0, 1)))
	add("RLE with a move", bitmapHeader(w, h, 8, 1, 256, []byte{3, 9, 0, 2, 5, 4, 6, 1, 0, 1}))
	return out
}
