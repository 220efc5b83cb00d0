package picture

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

// further counts the pages or frames of a file behind its first, which is the one that is read.
func further(format string, b []byte) int {
	switch format {
	case "gif":
		return max(gifFrames(b)-1, 0)
	case "tiff":
		return max(len(tiffPages(bytes.NewReader(b), int64(len(b))))-1, 0)
	case "png":
		return apngFrames(b)
	case "webp":
		return max(webpFrames(b)-1, 0)
	}
	return 0
}

// gifColours is the size in bytes of the table of colours that a GIF's flags announce.
func gifColours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// gifBlocks is the place behind blocks that begin with their size at i, and one of size 0.
func gifBlocks(b []byte, i int) int {
	for i < len(b) && b[i] > 0 {
		i += 1 + int(b[i])
	}
	return i + 1
}

// gifFrames counts the frames. (GIF89a specification, appendix B.)
func gifFrames(b []byte) (n int) {
	if len(b) < 13 {
		return 0
	}
	for i := 13 + gifColours(b[10]); i < len(b); {
		switch b[i] {
		case 0x21: // an extension
			i = gifBlocks(b, i+2)
		case 0x2c: // a frame
			if i+10 > len(b) {
				return n
			}
			n++
			i = gifBlocks(b, i+10+gifColours(b[i+9])+1)
		default:
			return n
		}
	}
	return n
}

// mostPages bounds the pages that are counted.
const mostPages = 1 << 16

// order is the order of bytes in a TIFF.
func order(b []byte) binary.ByteOrder {
	if b[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// tiffPages returns the offsets of the directories that are pages: no smaller versions and no masks of another. It returns nil for a file
// that is no TIFF. (TIFF 6.0, tags 254 and 255.)
func tiffPages(file io.ReaderAt, size int64) (pages []int64) {
	head := make([]byte, 8)
	if _, err := file.ReadAt(head, 0); err != nil || string(head[:4]) != "II*\x00" && string(head[:4]) != "MM\x00*" {
		return nil
	}
	o := order(head)
	been := map[int64]bool{}
	directory := make([]byte, 2)
	for at := int64(o.Uint32(head[4:])); at >= 8 && at+2 <= size && !been[at] && len(been) < mostPages; {
		been[at] = true
		if _, err := file.ReadAt(directory[:2], at); err != nil {
			return pages
		}
		n := 12 * int(o.Uint16(directory))
		if at+2+int64(n)+4 > size {
			return append(pages, at)
		}
		directory = slices.Grow(directory[:0], n+4)[:n+4]
		if _, err := file.ReadAt(directory, at+2); err != nil {
			return pages
		}
		page := true
		for e := directory[:n]; len(e) >= 12; e = e[12:] {
			switch o.Uint16(e) {
			case 254:
				page = page && o.Uint32(e[8:])&0b101 == 0
			case 255:
				page = page && o.Uint16(e[8:]) != 2
			}
		}
		if page {
			pages = append(pages, at)
		}
		at = int64(o.Uint32(directory[n:]))
	}
	return pages
}

// apngFrames counts the frames of an animation that the still image of the file is not. (PNG specification, third edition, 11.3.6.)
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
		case "fcTL": // before the pixels: the still image is the first frame
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
