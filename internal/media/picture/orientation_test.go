package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tiffKind is how a TIFF of a test is written.
type tiffKind struct {
	order   binary.AppendByteOrder
	bits    int    // of a sample
	samples int    // 1 is grey, 3 is RGB
	rows    int    // of a strip; 0 is all
	tile    int    // side of tiles; 0 is strips
	tag     uint16 // type of the orientation's number: 1, 3 or 4
	before  bool   // the directory stands before the pixels
}

// block is samples of a part of an image, as a TIFF has them; beyond the image they are 0.
func (k tiffKind) block(p *Picture, x0, y0, w, h int) []byte {
	var b []byte
	for y := y0; y < y0+h; y++ {
		for x := x0; x < x0+w; x++ {
			var v [3]uint8
			if x < p.W && y < p.H {
				v[0], v[1], v[2] = p.At(x, y)
			}
			for _, s := range v[:k.samples] {
				if k.bits == 16 {
					b = k.order.AppendUint16(b, uint16(s)<<8)
				} else {
					b = append(b, s)
				}
			}
		}
	}
	return b
}

// write is an image as a TIFF with an orientation, and without the tag for 0. (TIFF 6.0.)
func (k tiffKind) write(p *Picture, orientation int) []byte {
	type entry struct {
		tag, kind uint16
		values    []uint32
	}
	var blocks [][]byte
	photometric := uint32(2)
	if k.samples == 1 {
		photometric = 1
	}
	bits := make([]uint32, k.samples)
	for i := range bits {
		bits[i] = uint32(k.bits)
	}
	tags := []entry{{256, 3, []uint32{uint32(p.W)}}, {257, 3, []uint32{uint32(p.H)}}, {258, 3, bits}, {259, 3, []uint32{1}}, {262, 3, []uint32{photometric}}}
	if orientation > 0 {
		tags = append(tags, entry{274, k.tag, []uint32{uint32(orientation)}})
	}
	tags = append(tags, entry{277, 3, []uint32{uint32(k.samples)}})
	var offsets, sizes uint16 = 273, 279
	if k.tile > 0 {
		offsets, sizes = 324, 325
		tags = append(tags, entry{322, 3, []uint32{uint32(k.tile)}}, entry{323, 3, []uint32{uint32(k.tile)}})
		for y := 0; y < p.H; y += k.tile {
			for x := 0; x < p.W; x += k.tile {
				blocks = append(blocks, k.block(p, x, y, k.tile, k.tile))
			}
		}
	} else {
		rows := k.rows
		if rows == 0 {
			rows = p.H
		}
		tags = append(tags, entry{278, 3, []uint32{uint32(rows)}})
		for y := 0; y < p.H; y += rows {
			blocks = append(blocks, k.block(p, 0, y, p.W, min(rows, p.H-y)))
		}
	}
	data := bytes.Join(blocks, nil)
	directory := 8
	if !k.before {
		directory += len(data)
	}
	// Values that do not fit into their entries follow the directory.
	extra := 2 + 12*(len(tags)+2) + 4
	at := 8
	if k.before {
		at += extra + 8*len(blocks) + 2*k.samples
	}
	where, long := entry{offsets, 4, nil}, entry{sizes, 4, nil}
	for _, b := range blocks {
		where.values, long.values = append(where.values, uint32(at)), append(long.values, uint32(len(b)))
		at += len(b)
	}
	tags = append(tags, where, long)
	slices.SortStableFunc(tags, func(a, b entry) int { return int(a.tag) - int(b.tag) })
	wide := map[uint16]int{1: 1, 3: 2, 4: 4}
	dir, beyond := k.order.AppendUint16(nil, uint16(len(tags))), []byte{}
	for _, e := range tags {
		var v []byte
		for _, n := range e.values {
			switch e.kind {
			case 1:
				v = append(v, byte(n))
			case 3:
				v = k.order.AppendUint16(v, uint16(n))
			default:
				v = k.order.AppendUint32(v, n)
			}
		}
		dir = k.order.AppendUint16(k.order.AppendUint16(dir, e.tag), e.kind)
		dir = k.order.AppendUint32(dir, uint32(len(e.values)))
		if wide[e.kind]*len(e.values) > 4 {
			dir = k.order.AppendUint32(dir, uint32(directory+extra+len(beyond)))
			beyond = append(beyond, v...)
		} else {
			dir = append(dir, append(v, 0, 0, 0, 0)[:4]...)
		}
	}
	dir = append(k.order.AppendUint32(dir, 0), beyond...)
	head := []byte("II*\x00")
	if k.order == binary.AppendByteOrder(binary.BigEndian) {
		head = []byte("MM\x00*")
	}
	head = k.order.AppendUint32(head, uint32(directory))
	if !k.before {
		return append(append(head, data...), dir...)
	}
	for len(dir) < extra+8*len(blocks)+2*k.samples {
		dir = append(dir, 0)
	}
	return append(append(head, dir...), data...)
}

// exifOf is an EXIF block with an orientation.
func exifOf(orientation int) []byte {
	o := binary.BigEndian
	b := append([]byte("MM\x00*"), 0, 0, 0, 8, 0, 1)
	b = o.AppendUint32(o.AppendUint16(o.AppendUint16(b, tagOrientation), 3), 1)
	return append(o.AppendUint16(b, uint16(orientation)), 0, 0, 0, 0, 0, 0)
}

// extended is a WebP of the extended format, with an EXIF block behind the pixels.
func extended(webp []byte, w, h int, exif []byte, flags byte) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0, byte(w-1), byte((w-1)>>8), 0, byte(h-1), byte((h-1)>>8), 0)
	b = append(b, webp[12:]...)
	if exif != nil {
		b = binary.LittleEndian.AppendUint32(append(b, "EXIF"...), uint32(len(exif)))
		if b = append(b, exif...); len(exif)%2 > 0 {
			b = append(b, 0)
		}
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// chunksOf is a PNG with a chunk before its pixels, or behind them.
func withChunk(b []byte, kind string, data []byte, behind bool) []byte {
	at := bytes.Index(b, []byte("IDAT")) - 4
	if behind {
		at = bytes.LastIndex(b, []byte("IEND")) - 4
	}
	return bytes.Join([][]byte{b[:at], chunk(kind, data), b[at:]}, nil)
}

// Files of every format that can say how it is stored are decoded upright, and their headers agree with what is decoded.
func TestOrientationOfFormats(t *testing.T) {
	p := gradient(75, 50)
	lo, hi := binary.AppendByteOrder(binary.LittleEndian), binary.AppendByteOrder(binary.BigEndian)
	pngBytes := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, p.Image()) })
	jpg := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, p.Image(), nil) })
	app1 := func(exif []byte) []byte { return segment(0xe1, append([]byte("Exif\x00\x00"), exif...)...) }
	kinds := map[string]func(o int) []byte{}
	for name, k := range map[string]tiffKind{
		"TIFF":                              {order: lo, bits: 8, samples: 3, tag: 3},
		"TIFF, big-endian":                  {order: hi, bits: 8, samples: 3, tag: 3},
		"TIFF in strips":                    {order: lo, bits: 8, samples: 3, rows: 7, tag: 3},
		"TIFF in strips, big-endian":        {order: hi, bits: 8, samples: 3, rows: 16, tag: 3},
		"TIFF in large tiles":               {order: lo, bits: 8, samples: 3, tile: 64, tag: 3},
		"TIFF, grey":                        {order: lo, bits: 8, samples: 1, rows: 9, tag: 3},
		"TIFF of 16 bits":                   {order: lo, bits: 16, samples: 3, rows: 9, tag: 3},
		"TIFF of 16 bits, grey, big-endian": {order: hi, bits: 16, samples: 1, tag: 3},
		"TIFF, tag of 32 bits":              {order: lo, bits: 8, samples: 3, tag: 4},
		"TIFF, tag of 32 bits, big-endian":  {order: hi, bits: 8, samples: 3, tag: 4},
		"TIFF, tag of 8 bits, big-endian":   {order: hi, bits: 8, samples: 3, tag: 1},
		"TIFF, directory first":             {order: lo, bits: 8, samples: 3, rows: 10, tag: 3, before: true},
		"TIFF in tiles of 32":               {order: lo, bits: 8, samples: 3, tag: 3, tile: 32},
	} {
		kinds[name] = func(o int) []byte { return k.write(p, o) }
	}
	for name, f := range map[string]func(exif []byte) []byte{
		"JPEG":                   func(e []byte) []byte { return bytes.Join([][]byte{jpg[:2], app1(e), jpg[2:]}, nil) },
		"JPEG, after fill bytes": func(e []byte) []byte { return bytes.Join([][]byte{jpg[:2], {0xff, 0xff}, app1(e), jpg[2:]}, nil) },
		"JPEG, after XMP": func(e []byte) []byte {
			return bytes.Join([][]byte{jpg[:2], segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<x/>")...), app1(e), jpg[2:]}, nil)
		},
		"PNG":                          func(e []byte) []byte { return withChunk(pngBytes, "eXIf", e, false) },
		"PNG, behind the pixels":       func(e []byte) []byte { return withChunk(pngBytes, "eXIf", e, true) },
		"PNG, with the name of a JPEG": func(e []byte) []byte { return withChunk(pngBytes, "eXIf", append([]byte("Exif\x00\x00"), e...), false) },
		"WebP, lossy":                  func(e []byte) []byte { return extended(lossyWebP, 12, 9, e, 8) },
		"WebP, lossless":               func(e []byte) []byte { return extended(losslessWebP, 12, 9, e, 8) },
		"WebP, with the name of a JPEG": func(e []byte) []byte {
			return extended(losslessWebP, 12, 9, append([]byte("Exif\x00\x00"), e...), 8)
		},
	} {
		kinds[name] = func(o int) []byte {
			if o == 0 {
				return f(exifOf(1))
			}
			return f(exifOf(o))
		}
	}
	dir := t.TempDir()
	for name, f := range kinds {
		plain, err := DecodeBytes(name, f(0))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.HasPrefix(name, "TIFF") {
			if r, _, _ := plain.At(70, 3); abs(int(r)-int(p.Pix[3*(3*75+70)])) > 1 {
				t.Errorf("%s: red is %d", name, r)
			}
		}
		for o := 1; o <= 8; o++ {
			b := f(o)
			path := filepath.Join(dir, "a")
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			q, err := DecodeBytes(name, b)
			if err != nil {
				t.Errorf("%s, orientation %d: %v", name, o, err)
				continue
			}
			if d := farthest(stored(q, o), plain); d > 0 {
				t.Errorf("%s, orientation %d: %dx%d, a pixel is off by %d", name, o, q.W, q.H, d)
			}
			w, h, err := Size(path)
			if head, more := Probe(name, b); err != nil || more != nil || w != q.W || h != q.H || head.W != q.W || head.H != q.H {
				t.Errorf("%s, orientation %d: the file is %dx%d, its header %dx%d, decoded %dx%d (%v, %v)", name, o, w, h, head.W, head.H, q.W, q.H, err, more)
			}
		}
	}
}

// Tags that say nothing of use leave an image as it is stored.
func TestOrientationOfNothing(t *testing.T) {
	p := gradient(20, 10)
	k := tiffKind{order: binary.LittleEndian, bits: 8, samples: 3, tag: 3}
	files := map[string][]byte{
		"WebP without the flag":  extended(losslessWebP, 12, 9, exifOf(6), 0),
		"WebP, EXIF of nothing":  extended(losslessWebP, 12, 9, []byte{}, 8),
		"WebP, EXIF that is cut": extended(losslessWebP, 12, 9, exifOf(6)[:12], 8),
	}
	for _, o := range []int{9, 255, 65535} {
		files[fmt.Sprint("TIFF of orientation ", o)] = k.write(p, o)
	}
	for name, b := range files {
		q, err := DecodeBytes(name, b)
		h, more := Probe(name, b)
		if err != nil || more != nil || q.W <= q.H || h.W != q.W || h.H != q.H {
			t.Errorf("%s: %+v, %v, %v", name, h, err, more)
		}
	}
}

// A large file's EXIF block behind its pixels is found without reading the pixels.
func TestOrientationBehindPixels(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, gradient(40, 30).Image()) })
	for range 6 { // chunks that a reader passes over
		b = withChunk(b, "teSt", make([]byte, 100<<10), true)
	}
	b = withChunk(b, "eXIf", exifOf(6), true)
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if w, h, err := Size(path); w != 30 || h != 40 || err != nil {
		t.Errorf("%dx%d, %v", w, h, err)
	}
	if p, err := Decode(path); err != nil || p.W != 30 || p.H != 40 {
		t.Errorf("%v", err)
	}
}
