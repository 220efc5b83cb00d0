package picture

import (
	"encoding/binary"
	"errors"
)

// jpegHeader is what decoding a JPEG costs.
type jpegHeader struct {
	progressive bool
	many        bool  // scans that have not all components, so that coefficients are kept
	blocks      int64 // of 8x8 coefficients, of all components
	components  int
	rgb         bool // stored as R, G, B
}

var errFrame = errors.New("it has no frame before its first scan")

// readJPEGHeader walks the segments to the first scan. (ITU T.81, annex B.)
func readJPEGHeader(b []byte) (h jpegHeader, err error) {
	for i := 2; i+4 <= len(b); {
		marker := b[i+1]
		if b[i] != 0xff {
			break
		}
		if marker == 0xff || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7 {
			i++
			if marker != 0xff {
				i++
			}
			continue
		}
		n := int(binary.BigEndian.Uint16(b[i+2:]))
		if n < 2 || i+2+n > len(b) {
			break
		}
		body := b[i+4 : i+2+n]
		i += 2 + n
		switch {
		case marker == 0xc0 || marker == 0xc1 || marker == 0xc2:
			if h.components > 0 {
				return h, errors.New("it has two frames")
			}
			rgb := h.rgb
			if h, err = readFrame(body); err != nil {
				return h, err
			}
			h.rgb = h.rgb || rgb
			h.progressive = marker == 0xc2
			h.many = h.progressive
		case marker == 0xee && len(body) >= 12 && string(body[:5]) == "Adobe":
			h.rgb = body[11] == 0
		case marker == 0xda:
			if h.components == 0 || len(body) < 1 {
				return h, errFrame
			}
			h.many = h.many || int(body[0]) < h.components
			return h, nil
		}
	}
	if h.components == 0 {
		return h, errFrame
	}
	return h, nil
}

// readFrame reads a frame header: precision, height, width, and a component's number, sampling and table each.
func readFrame(b []byte) (h jpegHeader, err error) {
	if len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return h, errors.New("its frame header is cut")
	}
	height, width := int64(binary.BigEndian.Uint16(b[1:])), int64(binary.BigEndian.Uint16(b[3:]))
	h.components = int(b[5])
	h.rgb = h.components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B'
	most := [2]int64{1, 1}
	for k := range h.components {
		s := b[7+3*k]
		most[0], most[1] = max(most[0], int64(s>>4)), max(most[1], int64(s&15))
	}
	// All components are padded to whole units of the most samples.
	across, down := (width+8*most[0]-1)/(8*most[0]), (height+8*most[1]-1)/(8*most[1])
	for k := range h.components {
		s := b[7+3*k]
		h.blocks += across * int64(s>>4) * down * int64(s&15)
	}
	return h, nil
}
