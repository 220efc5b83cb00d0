package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// check reads the header of a whole file. It refuses what a decoder would take in silence: files that end too soon and damaged
// ones; and before they cost anything those that take more memory or time than is spent on an image.
func check(b []byte, target Target) (Header, error) {
	if len(b) == 0 {
		return Header{}, errors.New("the file is empty")
	}
	h, err := probe(b, int64(len(b)))
	if err != nil {
		return h, unreadable(b, err)
	}
	if err := h.Check(target); err != nil {
		return h, err
	}
	switch h.Format {
	case "png":
		err = checkPNG(b)
	case "jpeg":
		err = checkJPEG(b, h.w, h.h)
	case "bmp":
		err = checkBMP(b, h.w, h.h)
	case "tiff":
		err = h.tiff.check(b)
	}
	return h, err
}

// checkPNG walks the chunks to IEND and compares their checksums. (PNG specification, section 5.)
func checkPNG(b []byte) error {
	data := int64(0)
	for i := len(pngSignature); i+12 <= len(b); {
		n := int64(binary.BigEndian.Uint32(b[i:]))
		end := int64(i) + 12 + n
		if end > int64(len(b)) {
			return fmt.Errorf("it is cut: %q takes %d bytes more than the file has", b[i+4:i+8], end-int64(len(b)))
		}
		if crc32.ChecksumIEEE(b[i+4:end-4]) != binary.BigEndian.Uint32(b[end-4:]) {
			return fmt.Errorf("it is damaged: the checksum of %q at byte %d is wrong", b[i+4:i+8], i)
		}
		switch string(b[i+4 : i+8]) {
		case "IDAT":
			data += n
		case "IEND":
			if data == 0 {
				return errors.New("it has no pixels")
			}
			return enoughPNG(b, data)
		}
		i = int(end)
	}
	return errors.New("it is cut: it has no end")
}

// mostDeflate is how many bytes one of deflate can become.
const mostDeflate = 1032

// enoughPNG refuses pixels that the compressed data cannot hold.
func enoughPNG(b []byte, data int64) error {
	w, h := int64(binary.BigEndian.Uint32(b[16:])), int64(binary.BigEndian.Uint32(b[20:]))
	samples := [7]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[min(b[25], 6)]
	if want := w * h * samples * int64(b[24]) / 8; want > data*mostDeflate {
		return fmt.Errorf("it is cut: %dx%d pixels cannot be in %d bytes", w, h, data)
	}
	return nil
}

// plainPNG is a PNG without the chunks that are not of its pixels, some of which a decoder unpacks to gigabytes.
func plainPNG(b []byte) []byte {
	plain := func(kind []byte) bool { return kind[0] < 'a' || string(kind) == "tRNS" }
	chunks := func(f func(from, to int)) {
		for i := len(pngSignature); i+12 <= len(b); {
			end := i + 12 + int(binary.BigEndian.Uint32(b[i:]))
			if plain(b[i+4 : i+8]) {
				f(i, end)
			}
			if string(b[i+4:i+8]) == "IEND" {
				return
			}
			i = end
		}
	}
	n := len(pngSignature)
	chunks(func(from, to int) { n += to - from })
	if n == len(b) {
		return b
	}
	out := append(make([]byte, 0, n), pngSignature...)
	chunks(func(from, to int) { out = append(out, b[from:to]...) })
	return out
}

// checkBMP refuses a file that has not all pixels; the last row need not be padded.
func checkBMP(b []byte, w, h int) error {
	bits := int64(binary.LittleEndian.Uint16(b[28:]))
	row := (int64(w)*bits + 7) / 8
	want := int64(binary.LittleEndian.Uint32(b[10:])) + (row+3)/4*4*int64(h-1) + row
	if want > int64(len(b)) {
		return fmt.Errorf("it is cut: %dx%d pixels of %d bits take %d bytes more than the file has", w, h, bits, want-int64(len(b)))
	}
	return nil
}

// checkJPEG walks the segments to the end marker. (ITU T.81, annex B.) Each scan takes time for every pixel and may be of a few
// bytes; encoders make a dozen.
func checkJPEG(b []byte, w, h int) error {
	most := maxWork / (w * h)
	scans := 0
	for i := 2; i+1 < len(b); {
		if b[i] != 0xff {
			return fmt.Errorf("it is damaged: no marker at byte %d", i)
		}
		marker := b[i+1]
		switch {
		case marker == 0xff: // fill
			i++
			continue
		case marker == 0xd9:
			if scans == 0 {
				return errors.New("it has no pixels")
			}
			if scans > most {
				return tooMuchWork("scans", scans, w, h)
			}
			return nil
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			i += 2
			continue
		}
		if i+4 > len(b) {
			break
		}
		n := int(binary.BigEndian.Uint16(b[i+2:]))
		if n < 2 || i+2+n > len(b) {
			break
		}
		i += 2 + n
		if marker == 0xda {
			scans++
			i = entropy(b, i)
		}
	}
	return errors.New("it is cut: it has no end marker")
}

// entropy is where a scan's data ends that begin at i: before the next marker that is no restart and no stuffing.
func entropy(b []byte, i int) int {
	for i+1 < len(b) && (b[i] != 0xff || b[i+1] == 0 || b[i+1] >= 0xd0 && b[i+1] <= 0xd7) {
		next := bytes.IndexByte(b[i+1:], 0xff)
		if next < 0 {
			return len(b)
		}
		i += 1 + next
	}
	return i
}
