package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image/png"
	"testing"

	"golang.org/x/image/bmp"
)

// bits writes the most significant first, with JPEG's stuffing.
type bits struct {
	b    []byte
	v, n uint
}

func (w *bits) put(v, n uint) {
	for ; n > 0; n-- {
		w.v = w.v<<1 | v>>(n-1)&1
		if w.n++; w.n == 8 {
			w.b = append(w.b, byte(w.v))
			if w.v == 0xff {
				w.b = append(w.b, 0)
			}
			w.v, w.n = 0, 0
		}
	}
}

func (w *bits) end() []byte {
	for w.n > 0 {
		w.put(1, 1)
	}
	return w.b
}

func segment(marker byte, b ...byte) []byte {
	return append([]byte{0xff, marker, byte((len(b) + 2) >> 8), byte(len(b) + 2)}, b...)
}

// progressive is a black JPEG of one scan for all components' means and others that say in a few bytes that all else is 0.
func progressive(w, h, components, scans int) []byte {
	b := []byte{0xff, 0xd8}
	quant := bytes.Repeat([]byte{1}, 65)
	quant[0] = 0
	b = append(b, segment(0xdb, quant...)...)
	frame := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(components)}
	first := []byte{byte(components)}
	for c := range components {
		frame = append(frame, byte(c+1), 0x11, 0)
		first = append(first, byte(c+1), 0)
	}
	b = append(b, segment(0xc2, frame...)...)
	table := append([]byte{0, 1}, make([]byte, 15)...) // one code, of one bit
	b = append(b, segment(0xc4, append(table, 0)...)...)
	table[0] = 0x10
	b = append(b, segment(0xc4, append(table, 0xe0)...)...) // an end of 2^14 blocks and more
	blocks := (w + 7) / 8 * ((h + 7) / 8)
	b = append(b, segment(0xda, append(first, 0, 0, 0)...)...)
	b = append(b, make([]byte, (blocks*components+7)/8)...)
	for s := 1; s < scans; s++ {
		b = append(b, segment(0xda, 1, byte(s%components+1), 0, 1, 63, 0)...)
		var w bits
		for n := 0; n < blocks; n += 0x7fff {
			w.put(0, 1)
			w.put(0x3fff, 14)
		}
		b = append(b, w.end()...)
	}
	return append(b, 0xff, 0xd9)
}

func packed(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// tiled is a grey TIFF of zeros in deflated tiles, all of the same data.
func tiled(w, h, tw, th uint32, data []byte) []byte {
	o := binary.LittleEndian
	n := (w + tw - 1) / tw * ((h + th - 1) / th)
	b := []byte("II*\x00")
	b = o.AppendUint32(b, uint32(8+len(data)))
	b = append(b, data...)
	tags := [][3]uint32{{256, 4, w}, {257, 4, h}, {258, 3, 8}, {259, 3, 8}, {262, 3, 1}, {277, 3, 1}, {322, 4, tw}, {323, 4, th}, {324, 4, 8}, {325, 4, uint32(len(data))}}
	b = o.AppendUint16(b, uint16(len(tags)))
	lists := uint32(len(b) + 12*len(tags) + 4)
	for _, t := range tags {
		count, v := uint32(1), t[2]
		if t[0] >= 324 && n > 1 {
			count, v = n, lists+(t[0]-324)*4*n
		}
		b = o.AppendUint16(o.AppendUint16(b, uint16(t[0])), uint16(t[1]))
		b = o.AppendUint32(o.AppendUint32(b, count), v)
	}
	b = o.AppendUint32(b, 0)
	for _, v := range []uint32{8, uint32(len(data))} {
		for range n {
			if n > 1 {
				b = o.AppendUint32(b, v)
			}
		}
	}
	return b
}

func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// grey is a PNG of so many bits a pixel, of zeros, with chunks before its data.
func grey(w, h uint32, depth byte, before ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	b := append([]byte(pngSignature), chunk("IHDR", append(head, depth, 0, 0, 0, 0))...)
	for _, c := range before {
		b = append(b, c...)
	}
	b = append(b, chunk("IDAT", packed(make([]byte, ((int(w)*int(depth)+7)/8+1)*int(h))))...)
	return append(b, chunk("IEND", nil)...)
}

// wide is a BMP of 54 bytes whose width OpenCV asserts.
func wide() []byte {
	b := make([]byte, 54)
	copy(b, "BM6")
	for at, v := range map[int]uint32{10: 54, 14: 40, 18: 1<<20 + 1, 22: 1, 26: 24<<16 | 1} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	return b
}

// beyond is a BMP with an index that its palette has not.
func beyond(t testing.TB) []byte {
	b := make([]byte, 14+40+4*2+4*3)
	copy(b, "BM")
	for at, v := range map[int]uint32{10: 62, 14: 40, 18: 4, 22: 3, 26: 8<<16 | 1, 46: 2} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	b[len(b)-1] = 200
	if _, err := bmp.DecodeConfig(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return b
}

// bombs are n chunks of text, each of 7.9 MB when it is unpacked.
func bombs(n int) [][]byte {
	text := chunk("zTXt", append([]byte("a\x00\x00"), packed(make([]byte, 79e5))...))
	out := make([][]byte, n)
	for i := range out {
		out[i] = text
	}
	return out
}

// smallFrame is a GIF of 8x6 whose first frame has 2x2 pixels at 3,1.
func smallFrame() []byte {
	return []byte("GIF89a\x08\x00\x06\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x03\x00\x01\x00\x02\x00\x02\x00\x00\x02\x03\x0c\x12\x05\x00;")
}

// largerWebP is a WebP whose canvas says 8x8 pixels and whose pixels say 16384x16384.
func largerWebP() []byte {
	canvas := append([]byte("VP8X\x0a\x00\x00\x00"), 0, 0, 0, 0, 7, 0, 0, 7, 0, 0)
	pixels := append([]byte("VP8L\x06\x00\x00\x00"), 0x2f, 0xff, 0xff, 0xff, 0x0f, 0)
	b := []byte("RIFF\x00\x00\x00\x00WEBP")
	b = append(append(b, canvas...), pixels...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// flatWebP is a lossless WebP of one colour: its codes have no bits, nor have its pixels.
func flatWebP(w, h uint32) []byte {
	var bits uint64
	n := 0
	put := func(v uint64, k int) { bits, n = bits|v<<n, n+k }
	put(0x2f, 8)
	put(uint64(w-1), 14)
	put(uint64(h-1), 14)
	put(0, 4) // opaque, version 0
	put(0, 3) // no transform, no cache of colours, one group of codes
	for range 5 {
		put(1, 3) // a code of one symbol, which has one bit
		put(0, 1)
	}
	b := []byte("RIFF\x14\x00\x00\x00WEBPVP8L\x08\x00\x00\x00")
	return binary.LittleEndian.AppendUint64(b, bits)
}

// harmful are small files that took gigabytes, many seconds or the program, by name.
func harmful(t testing.TB) map[string][]byte {
	var noise bytes.Buffer
	if err := png.Encode(&noise, gradient(9, 7).Image()); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"a BMP wider than OpenCV takes":      wide(),
		"a BMP with an index too large":      beyond(t),
		"a TIFF in a tile of 16384x16384":    tiled(10, 10, 16384, 16384, packed(nil)),
		"a TIFF in tiles of a pixel":         tiled(3000, 3000, 1, 1, packed([]byte{0})),
		"a TIFF whose tiles share a MB":      tiled(2048, 2048, 16, 16, packed(bytes.Repeat(noise.Bytes(), 5000))),
		"a JPEG of 500 scans":                progressive(6000, 6000, 1, 500),
		"a JPEG whose coefficients take GBs": progressive(9000, 9000, 3, 2),
		"a PNG with 8 GB of text":            grey(8, 8, 8, bombs(900)...),
		"a PNG of 90 million pixels in none": hugePNG(t, 9500, 9500),
		"a WebP larger than its canvas":      largerWebP(),
		"a WebP of 268 million pixels":       flatWebP(16384, 16384),
		"a GIF with a small frame":           smallFrame(),
	}
}
