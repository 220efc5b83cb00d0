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

// turned returns the picture upright, given how it was stored, and releases the other.
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

// way is where the first pixel of the upright picture lies in a stored one of w x h pixels, and the steps from there to its next
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
