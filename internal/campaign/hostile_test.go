//go:build campaign

package campaign

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"slices"

	"golang.org/x/image/bmp"
)

// hostile are four small files that ask for much: of memory, of time, of a decoder that forgets to look.
func hostile() map[string][]byte {
	var b bytes.Buffer
	p := image.NewPaletted(image.Rect(0, 0, 150, 103), color.Palette{color.Black, color.White})
	if err := bmp.Encode(&b, p); err != nil {
		panic("campaign: " + err.Error())
	}
	outside := b.Bytes()
	start := binary.LittleEndian.Uint32(outside[10:])
	binary.LittleEndian.PutUint32(outside[46:], 2) // colours
	outside = append(outside[:14+40+2*4:14+40+2*4], outside[start:]...)
	binary.LittleEndian.PutUint32(outside[10:], 14+40+2*4)
	for i := 14 + 40 + 2*4; i < len(outside); i++ {
		outside[i] = byte(i)
	}
	return map[string][]byte{
		"a BMP of 1048577 columns":            bitmapHeader(1<<20+1, 1, 24, 0, 0, nil),
		"a BMP with indices past its palette": outside,
		"a TIFF of 10x10 in a tile of 16384":  tiledTIFF(10, 10, 1<<14, 1<<14, 8, deflated(make([]byte, 1000))),
		"a JPEG of 6000x6000 in 500 scans":    progressive(6000, 6000, 499),
	}
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// progressive is a gray JPEG: a scan with all DC coefficients, which are 0, and then as many scans as asked for that say in a few
// bytes that all other coefficients are 0.
func progressive(w, h, scans int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 11, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
	table := func(class byte, symbol byte) {
		b = append(b, 0xff, 0xc4, 0, 20, class, 1)
		b = append(b, make([]byte, 15)...)
		b = append(b, symbol)
	}
	table(0x00, 0)    // the code 0 is "no difference"
	table(0x10, 0xe0) // the code 0 is "2^14 blocks end, and as many more as 14 bits say"
	blocks := ((w + 7) / 8) * ((h + 7) / 8)
	scan := func(from, to byte, bits []byte) {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, from, to, 0)
		b = append(b, bits...)
	}
	scan(0, 0, make([]byte, (blocks+7)/8))
	var ends bitWriter
	left := blocks
	for ; left >= 1<<14; left -= min(left, 1<<15-1) {
		ends.put(0, 1)
		ends.put(uint32(min(left, 1<<15-1)-1<<14), 14)
	}
	if left > 0 { // a run that is longer than what is left
		ends.put(0, 15)
	}
	for range scans {
		scan(1, 63, ends.bytes())
	}
	return append(b, 0xff, 0xd9)
}

// bitWriter writes bits as JPEG does: the highest first, a zero after each byte of ones.
type bitWriter struct {
	b   []byte
	acc uint32
	n   int
}

func (w *bitWriter) put(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		w.acc = w.acc<<1 | v>>i&1
		if w.n++; w.n == 8 {
			w.b = append(w.b, byte(w.acc))
			if byte(w.acc) == 0xff {
				w.b = append(w.b, 0)
			}
			w.acc, w.n = 0, 0
		}
	}
}

// bytes are all, filled up with ones.
func (w *bitWriter) bytes() []byte {
	c := bitWriter{slices.Clone(w.b), w.acc, w.n}
	for c.n != 0 {
		c.put(1, 1)
	}
	return c.b
}

func sorted(all []seed) []seed {
	slices.SortStableFunc(all, func(a, b seed) int {
		return cmp.Or(cmp.Compare(a.format, b.format), cmp.Compare(a.name, b.name))
	})
	return all
}
