package picture

import (
	"bytes"
	"encoding/binary"
)

// orientation reads the EXIF orientation (1 to 8) of a JPEG or PNG; 1, upright, where there is none. (EXIF 2.3,
// section 4.6.4; the tag is 0x0112.)
func orientation(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xd8}):
		return jpegOrientation(b)
	case bytes.HasPrefix(b, []byte(pngSignature)):
		return pngOrientation(b)
	}
	return 1
}

func jpegOrientation(b []byte) int {
	for i := 2; i+4 <= len(b) && b[i] == 0xff; {
		marker, n := b[i+1], int(binary.BigEndian.Uint16(b[i+2:]))
		if marker == 0xda || n < 2 || i+2+n > len(b) { // the scan begins: no more headers
			break
		}
		if body := b[i+4 : i+2+n]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		i += 2 + n
	}
	return 1
}

func pngOrientation(b []byte) int {
	for i := len(pngSignature); i+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[i:]))
		if n < 0 || n > len(b)-i-12 {
			break
		}
		switch string(b[i+4 : i+8]) {
		case "eXIf":
			return tiffOrientation(b[i+8 : i+8+n])
		case "IDAT", "IEND":
			return 1
		}
		i += 12 + n
	}
	return 1
}

// tiffOrientation looks the tag up in the first directory of a TIFF block.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var o binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		o = binary.BigEndian
	}
	at := int(o.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 1
	}
	for i, n := at+2, int(o.Uint16(b[at:])); n > 0 && i+12 <= len(b); i, n = i+12, n-1 {
		if o.Uint16(b[i:]) == 0x0112 {
			if v := int(o.Uint16(b[i+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// turned returns the picture upright, given how it was stored.
func (p *Picture) turned(orientation int) *Picture {
	if orientation <= 1 {
		return p
	}
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	q := New(w, h)
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, w-1-x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			copy(q.Pix[3*(y*w+x):3*(y*w+x)+3], p.Pix[3*(sy*p.W+sx):])
		}
	}
	return q
}
