package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/jpeg" // for the header
	_ "image/png"

	_ "golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// header is what a file says of itself: jpeg, png, ... and its size in pixels, as stored.
type header struct {
	format string
	w, h   int
}

// check reads the header. It refuses what a decoder would take in silence: files that end too soon, damaged ones, and
// headers that ask for more pixels than MaxPixels.
func check(b []byte) (header, error) {
	if len(b) == 0 {
		return header{}, errors.New("the file is empty")
	}
	c, format, err := config(b)
	if errors.Is(err, image.ErrFormat) {
		return header{}, errors.New("it is no picture: its first bytes are not those of JPEG, PNG, GIF, BMP, TIFF or WebP")
	}
	if err != nil {
		return header{}, fmt.Errorf("its header is damaged: %w", err)
	}
	if c.Width < 1 || c.Height < 1 {
		return header{}, fmt.Errorf("its header says %dx%d pixels", c.Width, c.Height)
	}
	if int64(c.Width)*int64(c.Height) > MaxPixels {
		return header{}, fmt.Errorf("it has %dx%d pixels, more than the %d million that are decoded", c.Width, c.Height, MaxPixels>>20)
	}
	switch format {
	case "png":
		err = checkPNG(b)
	case "jpeg":
		err = checkJPEG(b)
	}
	return header{format, c.Width, c.Height}, err
}

// config reads a file's header. image.DecodeConfig hides from the TIFF reader that b can be read anywhere, which then takes
// memory up to the offset that the file names: 4 GB for one of 12 bytes.
func config(b []byte) (image.Config, string, error) {
	if bytes.HasPrefix(b, []byte("II*\x00")) || bytes.HasPrefix(b, []byte("MM\x00*")) {
		c, err := tiff.DecodeConfig(bytes.NewReader(b))
		return c, "tiff", err
	}
	return image.DecodeConfig(bytes.NewReader(b))
}

// checkPNG walks the chunks to IEND and compares their checksums. (PNG specification, section 5.)
func checkPNG(b []byte) error {
	data := false
	for i := len(pngSignature); i+12 <= len(b); {
		n := int64(binary.BigEndian.Uint32(b[i:]))
		end := int64(i) + 12 + n
		if end > int64(len(b)) {
			return fmt.Errorf("it is cut: %q wants %d bytes more than the file has", b[i+4:i+8], end-int64(len(b)))
		}
		if crc32.ChecksumIEEE(b[i+4:end-4]) != binary.BigEndian.Uint32(b[end-4:]) {
			return fmt.Errorf("it is damaged: the checksum of %q at byte %d is wrong", b[i+4:i+8], i)
		}
		switch string(b[i+4 : i+8]) {
		case "IDAT":
			data = true
		case "IEND":
			if !data {
				return errors.New("it has no pixels")
			}
			return nil
		}
		i = int(end)
	}
	return errors.New("it is cut: it has no end")
}

// maxScans bounds the passes of a progressive JPEG: each takes time for every pixel and may be of a few bytes. Encoders
// make a dozen.
const maxScans = 500

// checkJPEG walks the segments to the end marker. (ITU T.81, annex B.)
func checkJPEG(b []byte) error {
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
		if marker == 0xda { // entropy-coded data until the next marker that is no restart and no stuffing
			if scans++; scans > maxScans {
				return fmt.Errorf("it has more than %d scans", maxScans)
			}
			for i+1 < len(b) && (b[i] != 0xff || b[i+1] == 0 || b[i+1] >= 0xd0 && b[i+1] <= 0xd7) {
				next := bytes.IndexByte(b[i+1:], 0xff)
				if next < 0 {
					i = len(b)
					break
				}
				i += 1 + next
			}
		}
	}
	return errors.New("it is cut: it has no end marker")
}
