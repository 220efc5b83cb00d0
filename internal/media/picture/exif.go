package picture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// orientation is how an image file is stored: 1 is upright, 2 to 8 are mirrored or turned. (TIFF 6.0, tag 274; EXIF 2.3, section 4.6.4.)
// It is the only place that decides it: decoders get files that they do not turn themselves.
func orientation(b []byte) int { return orientationIn(bytes.NewReader(b), int64(len(b))) }

// orientationIn is orientation of a file of some size, of which little is read. The tag stands in a TIFF's first directory, or in that of
// the EXIF block of a JPEG, PNG or WebP; other formats have none.
func orientationIn(r io.ReaderAt, size int64) int {
	block := exifIn(r, size)
	if block == nil {
		return 1
	}
	order, entries, _ := entriesOf(block)
	for _, e := range entries {
		if order.Uint16(e) != tagOrientation {
			continue
		}
		v := uint32(0)
		switch order.Uint16(e[2:]) {
		case 1:
			v = uint32(e[8])
		case 3:
			v = uint32(order.Uint16(e[8:]))
		case 4:
			v = order.Uint32(e[8:])
		}
		if v >= 1 && v <= 8 && order.Uint32(e[4:]) > 0 {
			return int(v)
		}
		return 1
	}
	return 1
}

// entriesOf is the byte order, the entries of 12 bytes of the first directory of a TIFF block, and where they begin.
func entriesOf(block io.ReaderAt) (order binary.ByteOrder, entries [][]byte, at int64) {
	order = binary.LittleEndian
	head := bytesAt(block, 0, 8)
	if len(head) < 8 {
		return order, nil, 0
	}
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at = int64(order.Uint32(head[4:]))
	count := bytesAt(block, at, 2)
	if at < 8 || len(count) < 2 {
		return order, nil, 0
	}
	at += 2
	b := bytesAt(block, at, 12*int(order.Uint16(count)))
	for ; len(b) >= 12; b = b[12:] {
		entries = append(entries, b[:12])
	}
	return order, entries, at
}

// uprightTIFF is a TIFF whose first directory says that it is stored upright, so that libtiff and OpenCV leave its pixels as they are: they turn
// those of some kinds in part, and of others wholly.
func uprightTIFF(b []byte) []byte {
	order, entries, at := entriesOf(bytes.NewReader(b))
	out := bytes.Clone(b)
	for i, e := range entries {
		if order.Uint16(e) == tagOrientation {
			e = out[at+12*int64(i):]
			order.PutUint16(e[2:], 3) // one number of 16 bits
			order.PutUint32(e[4:], 1)
			order.PutUint32(e[8:], 0)
			order.PutUint16(e[8:], 1)
		}
	}
	return out
}

// bytesAt are n bytes, or fewer at the end.
func bytesAt(r io.ReaderAt, at int64, n int) []byte {
	b := make([]byte, n)
	n, _ = r.ReadAt(b, at)
	return b[:n]
}

// mostChunks bounds the segments or chunks of a file that are visited for its EXIF block.
const mostChunks = 1 << 17

// exifIn is the part of a file with its EXIF directory, nil where there is none.
func exifIn(r io.ReaderAt, size int64) io.ReaderAt {
	first := bytesAt(r, 0, 30)
	switch {
	case bytes.HasPrefix(first, []byte("II*\x00")), bytes.HasPrefix(first, []byte("MM\x00*")):
		return r
	case bytes.HasPrefix(first, []byte{0xff, 0xd8}):
		return jpegExif(r, size)
	case bytes.HasPrefix(first, []byte(pngSignature)):
		// The block may stand behind the pixels. (PNG specification, third edition, 11.3.2.8.)
		return chunkNamed(r, size, int64(len(pngSignature)), "eXIf", "IEND", func(h []byte) (string, int64, int64) {
			n := int64(binary.BigEndian.Uint32(h))
			return string(h[4:8]), n, 8 + n + 4
		})
	case len(first) == 30 && string(first[:4]) == "RIFF" && string(first[8:16]) == "WEBPVP8X" && first[20]&0x08 != 0:
		// It stands behind the pixels. (WebP container specification.)
		return chunkNamed(r, size, 12, "EXIF", "", func(h []byte) (string, int64, int64) {
			n := int64(binary.LittleEndian.Uint32(h[4:]))
			return string(h[:4]), n, 8 + n + n&1
		})
	}
	return nil
}

// exifBlock is a part of a file, without the name that a JPEG and some others put before it.
func exifBlock(r io.ReaderAt, at, n int64) io.ReaderAt {
	if string(bytesAt(r, at, 5)) == "Exif\x00" {
		at, n = at+6, n-6
	}
	return io.NewSectionReader(r, at, n)
}

func jpegExif(r io.ReaderAt, size int64) io.ReaderAt {
	for i, n := int64(2), 0; i+4 <= size && n < mostChunks; n++ {
		h := bytesAt(r, i, 9)
		if len(h) < 4 || h[0] != 0xff || h[1] == 0xda || h[1] == 0xd9 {
			break // the pixels begin
		}
		if marker := h[1]; marker == 0xff || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 {
			i++ // fill
			if marker != 0xff {
				i++
			}
			continue
		}
		length := int64(binary.BigEndian.Uint16(h[2:]))
		if length < 2 || i+2+length > size {
			break
		}
		if h[1] == 0xe1 && string(h[4:]) == "Exif\x00" {
			return exifBlock(r, i+4, length-2)
		}
		i += 2 + length
	}
	return nil
}

// chunkNamed is the content of the first chunk of a name. read returns a chunk's name, the size of its content and of the whole, by its
// first 8 bytes.
func chunkNamed(r io.ReaderAt, size, at int64, name, end string, read func(h []byte) (string, int64, int64)) io.ReaderAt {
	for n := 0; at+8 <= size && n < mostChunks; n++ {
		h := bytesAt(r, at, 8)
		if len(h) < 8 {
			break
		}
		kind, content, whole := read(h)
		if kind == end || content > size-at-8 {
			break
		}
		if kind == name {
			return exifBlock(r, at+8, content)
		}
		at += whole
	}
	return nil
}

// turned returns the image upright, given how it was stored, and releases the other.
func (p *Picture) turned(orientation int) *Picture {
	if orientation <= 1 {
		return p
	}
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	at, across, down := way(orientation, p.W, p.H)
	defer p.Release()
	q := lease(w, h)
	for y := range h {
		row := q.Pix[3*w*y : 3*w*(y+1)]
		for x, i := 0, 3*(at+y*down); x < len(row); x, i = x+3, i+3*across {
			row[x], row[x+1], row[x+2] = p.Pix[i], p.Pix[i+1], p.Pix[i+2]
		}
	}
	return q
}

// way is where the first pixel of the upright image lies in a stored one of w x h pixels, and the steps from there to its next
// column and row.
func way(orientation, w, h int) (at, across, down int) {
	right, bottom := w-1, w*(h-1)
	switch orientation {
	case 2:
		return right, -1, w
	case 3:
		return bottom + right, -1, -w
	case 4:
		return bottom, 1, -w
	case 5:
		return 0, w, 1
	case 6:
		return bottom, -w, 1
	case 7:
		return bottom + right, -w, -1
	case 8:
		return right, w, -1
	}
	return 0, 1, w
}
