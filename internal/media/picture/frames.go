package picture

import (
	"bytes"
	"encoding/binary"
)

// further counts the pages or frames of a file behind its first, which is the one that is read.
func further(format string, b []byte) int {
	switch format {
	case "gif":
		return max(gifFrames(b)-1, 0)
	case "tiff":
		return max(tiffPages(b)-1, 0)
	case "png":
		return apngFrames(b)
	case "webp":
		return max(webpFrames(b)-1, 0)
	}
	return 0
}

// gifFrames counts the frames. (GIF89a specification, appendix B.)
func gifFrames(b []byte) (n int) {
	colours := func(flags byte) int { // bytes of a table of colours
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	blocks := func(i int) int { // behind blocks that begin with their size, and one of size 0
		for i < len(b) && b[i] > 0 {
			i += 1 + int(b[i])
		}
		return i + 1
	}
	if len(b) < 13 {
		return 0
	}
	for i := 13 + colours(b[10]); i < len(b); {
		switch b[i] {
		case 0x21: // an extension
			i = blocks(i + 2)
		case 0x2c: // a frame
			if i+10 > len(b) {
				return n
			}
			n++
			i = blocks(i + 10 + colours(b[i+9]) + 1)
		default:
			return n
		}
	}
	return n
}

// mostPages bounds the pages that are counted.
const mostPages = 1 << 16

// tiffPages counts the directories that are pages: no smaller versions and no masks of another. (TIFF 6.0, tags 254 and 255.)
func tiffPages(b []byte) (n int) {
	if len(b) < 8 {
		return 0
	}
	var o binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		o = binary.BigEndian
	}
	been := map[int64]bool{}
	for at := int64(o.Uint32(b[4:])); at >= 8 && at+2 <= int64(len(b)) && !been[at] && len(been) < mostPages; {
		been[at] = true
		entries := int64(o.Uint16(b[at:]))
		end := at + 2 + 12*entries
		if end+4 > int64(len(b)) {
			return n + 1
		}
		page := true
		for e := b[at+2 : end]; len(e) >= 12; e = e[12:] {
			switch o.Uint16(e) {
			case 254:
				page = page && o.Uint32(e[8:])&0b101 == 0
			case 255:
				page = page && o.Uint16(e[8:]) != 2
			}
		}
		if page {
			n++
		}
		at = int64(o.Uint32(b[end:]))
	}
	return n
}

// apngFrames counts the frames of an animation that the still picture of the file is not. (PNG specification, third edition, 11.3.6.)
func apngFrames(b []byte) (n int) {
	for i := len(pngSignature); i+12 <= len(b); {
		size := int64(binary.BigEndian.Uint32(b[i:]))
		if size > int64(len(b)-i-12) {
			return 0
		}
		switch string(b[i+4 : i+8]) {
		case "acTL":
			if size >= 4 {
				n = int(min(binary.BigEndian.Uint32(b[i+8:]), mostPages))
			}
		case "fcTL": // before the pixels: the still picture is the first frame
			return max(n-1, 0)
		case "IDAT", "IEND":
			return n
		}
		i += 12 + int(size)
	}
	return 0
}

// webpFrames counts the frames of an animation. (WebP container specification.)
func webpFrames(b []byte) (n int) {
	for i := int64(12); i+8 <= int64(len(b)); {
		if bytes.Equal(b[i:i+4], []byte("ANMF")) {
			n++
		}
		size := int64(binary.LittleEndian.Uint32(b[i+4:]))
		i += 8 + size + size&1
	}
	return n
}
