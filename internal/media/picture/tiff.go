package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// tiffHeader is what a TIFF's first directory says of how its pixels are stored: in blocks, strips or tiles.
type tiffHeader struct {
	w, h           int // pixels
	bw, bh         int // of a block; a tile may reach beyond the image
	bits, samples  int // of a pixel: bits of each sample
	planes         int // that a sample has a block of its own in
	compression    int
	photometric    int
	predictor      int
	fill           int // order of bits
	extra          int // what a fourth sample is
	tiled          bool
	order          binary.ByteOrder
	offsets, sizes field
}

// Tags. (TIFF 6.0, section 8.)
const (
	tagWidth, tagHeight               = 256, 257
	tagBits, tagCompression           = 258, 259
	tagPhotometric, tagFill           = 262, 266
	tagOrientation                    = 274
	tagStripOffsets, tagSamples       = 273, 277
	tagStripRows, tagStripSizes       = 278, 279
	tagPlanar, tagPredictor           = 284, 317
	tagTileWidth, tagTileHeight       = 322, 323
	tagTileOffsets, tagTileSizes      = 324, 325
	tagExtra                          = 338
	compressNone, compressG3          = 1, 3
	compressG4, compressLZW           = 4, 5
	compressJPEG, compressDeflate     = 7, 8
	compressOldDeflate, compressPacks = 32946, 32773
)

// compressions are those that are decoded, by libtiff in a program with OpenCV. Others take memory or time that no header states.
var compressions = []int{compressNone, 2, compressG3, compressG4, compressLZW, 6, compressJPEG, compressDeflate, 32771, compressPacks, 32809, 32908, 32909, compressOldDeflate}

// field is the values of a tag.
type field struct {
	kind, n int
	b       []byte // of the values
	order   binary.ByteOrder
}

// at is the i-th value.
func (f field) at(i int) int64 {
	switch f.kind {
	case 1:
		return int64(f.b[i])
	case 3:
		return int64(f.order.Uint16(f.b[2*i:]))
	}
	return int64(f.order.Uint32(f.b[4*i:]))
}

// readTIFFHeader reads the first directory of a file. It is stricter than libtiff where that guesses: what both read is the same.
func readTIFFHeader(b []byte) (h tiffHeader, err error) {
	if len(b) < 8 {
		return h, errCutTIFF
	}
	h.order = binary.LittleEndian
	if b[0] == 'M' {
		h.order = binary.BigEndian
	}
	at := int64(h.order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return h, errCutTIFF
	}
	n := int64(h.order.Uint16(b[at:]))
	if at += 2; at+12*n > int64(len(b)) {
		return h, errCutTIFF
	}
	fields := map[int]field{}
	for ; n > 0; n, at = n-1, at+12 {
		tag := int(h.order.Uint16(b[at:]))
		f := field{kind: int(h.order.Uint16(b[at+2:])), n: int(h.order.Uint32(b[at+4:])), order: h.order}
		wide := int64(4)
		switch f.kind {
		case 1:
			wide = 1
		case 3:
			wide = 2
		case 4:
		default:
			continue // no number that is needed here
		}
		from := at + 8
		if size := wide * int64(f.n); size > 4 {
			from = int64(h.order.Uint32(b[at+8:]))
			if from+size > int64(len(b)) {
				continue
			}
		}
		f.b = b[from:min(from+wide*int64(f.n), int64(len(b)))]
		fields[tag] = f
	}
	one := func(tag, without int) int {
		f, ok := fields[tag]
		if !ok {
			return without
		}
		if f.n != 1 && err == nil {
			err = fmt.Errorf("tag %d of its directory has %d values, not one", tag, f.n)
		}
		if f.n < 1 {
			return without
		}
		return int(f.at(0))
	}
	h.w, h.h = one(tagWidth, 0), one(tagHeight, 0)
	h.bits, h.samples = 1, one(tagSamples, 1)
	if f := fields[tagBits]; f.n > 0 {
		h.bits = int(f.at(0))
		h.samples = max(h.samples, f.n)
	}
	h.compression, h.photometric = one(tagCompression, compressNone), one(tagPhotometric, 0)
	h.predictor, h.fill = one(tagPredictor, 1), one(tagFill, 1)
	if f := fields[tagExtra]; f.n > 0 {
		h.extra = int(f.at(0))
	}
	h.planes = 1
	if one(tagPlanar, 1) == 2 {
		h.planes = h.samples
	}
	h.bw, h.bh = h.w, h.h
	_, across := fields[tagTileWidth]
	_, down := fields[tagTileHeight]
	h.offsets, h.sizes = fields[tagStripOffsets], fields[tagStripSizes]
	switch h.tiled = across && down; {
	case h.tiled:
		h.bw, h.bh = one(tagTileWidth, 0), one(tagTileHeight, 0)
		h.offsets, h.sizes = fields[tagTileOffsets], fields[tagTileSizes]
	case across || down:
		return h, errors.New("its tiles have one side")
	default:
		if rows := one(tagStripRows, h.h); rows > 0 && rows < h.h {
			h.bh = rows
		}
	}
	return h, err
}

var errCutTIFF = errors.New("it is cut: it has no directory")

// grid is the number of blocks across and down.
func (h tiffHeader) grid() (across, down int) {
	return (h.w + h.bw - 1) / h.bw, (h.h + h.bh - 1) / h.bh
}

// blockBytes is the size of a decoded block.
func (h tiffHeader) blockBytes() int64 {
	return (int64(h.bw)*int64(h.bits)*int64(h.samples)/int64(h.planes) + 7) / 8 * int64(h.bh)
}
