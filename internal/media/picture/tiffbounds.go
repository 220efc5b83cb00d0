package picture

import (
	"bytes"
	"fmt"
	"slices"
)

// libtiff is what OpenCV and libtiff take for a file of some bytes: a block as stored, as samples and as RGBA. What is stored as
// samples in one block libtiff cuts into small ones.
func (h tiffHeader) libtiff(file int64) int64 {
	if h.compression == compressNone && !h.tiled && h.planes == 1 && h.offsets.n == 1 && h.sizes.n == 1 && h.sizes.at(0) == h.blockBytes() {
		return 0
	}
	stored := int64(0)
	for i := range min(h.sizes.n, maxWork/blockWork) {
		stored = max(stored, h.sizes.at(i))
	}
	if stored == 0 || stored > file {
		stored = file
	}
	return stored + int64(h.planes)*h.blockBytes() + 4*int64(h.bw)*int64(h.bh)
}

// smallTile is the side of tiles that may be larger than their image.
const smallTile = 1024

// bounds refuses blocks out of proportion to the image, and more of them than are worth it.
func (h tiffHeader) bounds() error {
	if h.bw < 1 || h.bh < 1 || h.bits < 1 || h.bits > 64 || h.samples < 1 || h.samples > 16 {
		return fmt.Errorf("its directory says blocks of %dx%d pixels of %d samples of %d bits", h.bw, h.bh, h.samples, h.bits)
	}
	if h.bw > max(h.w+15, smallTile) || h.bh > max(h.h+15, smallTile) {
		return tooMuch("its tiles have %dx%d pixels, the image %dx%d: tiles larger than the image are decoded up to %d pixels on a side",
			h.bw, h.bh, h.w, h.h, smallTile)
	}
	if !slices.Contains(compressions, h.compression) {
		return fmt.Errorf("its compression is %d: save it with none, LZW, deflate or PackBits", h.compression)
	}
	across, down := h.grid()
	blocks := across * down * h.planes
	if int64(across)*int64(down)*int64(h.planes) > maxWork/blockWork || int64(blocks)*(blockWork+int64(h.bw)*int64(h.bh)) > maxWork {
		return tooMuchWork(fmt.Sprintf("blocks of %dx%d pixels", h.bw, h.bh), blocks, h.w, h.h)
	}
	return nil
}

// check adds up what the blocks cost: data that many of them share, and the scans of JPEGs.
func (h tiffHeader) check(b []byte) error {
	across, down := h.grid()
	var data, scans int64
	for i := range min(across*down*h.planes, h.offsets.n, h.sizes.n) {
		from, n := h.offsets.at(i), h.sizes.at(i)
		if data += n; data > 2*int64(len(b))+1<<16 {
			return tooMuch("its blocks have more bytes than the file: %d after %d of them", data, i+1)
		}
		if h.compression != compressJPEG || from > int64(len(b)) {
			continue
		}
		scans += int64(bytes.Count(b[from:min(from+n, int64(len(b)))], []byte("\xff\xda")))
		if scans*int64(h.bw)*int64(h.bh) > maxWork {
			return tooMuchWork("scans", int(scans), h.bw, h.bh)
		}
	}
	return nil
}
