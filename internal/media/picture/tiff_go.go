//go:build !opencv

package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff"
	"golang.org/x/image/tiff/lzw"
)

// decodeTIFF decodes a TIFF block by block, with the numbers of golang.org/x/image/tiff, which makes a whole image of up to 8
// bytes a pixel first and unpacks a block as far as the file says.
func decodeTIFF(ctx context.Context, b []byte, h Header) (*Picture, error) {
	t := h.tiff
	across, down := t.grid()
	switch {
	case t.planes > 1:
		return nil, errors.New("its samples lie in planes: save it with the samples of a pixel together")
	case t.offsets.n < across*down || t.sizes.n < across*down:
		return nil, fmt.Errorf("it has %d offsets and %d sizes of %d blocks", t.offsets.n, t.sizes.n, across*down)
	case t.predictor == 2 && t.bits < 8:
		return nil, errors.New("it has differences of single bits")
	}
	c, err := tiff.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	palette, _ := c.ColorModel.(color.Palette)
	pixels, err := t.pixels(palette)
	if err != nil {
		return nil, err
	}
	held.room(h.Bytes(nil))
	return filled(h.w, h.h, func(p *Picture) error {
		block := make([]byte, t.blockBytes())
		for i := range across * down {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			x, y := i%across*t.bw, i/across*t.bh
			rows := t.bh
			if !t.tiled {
				rows = min(rows, t.h-y)
			}
			wide := len(block) / t.bh
			if err := t.unpack(ctx, b, i, block[:rows*wide]); err != nil {
				return fmt.Errorf("block %d of %d: %w", i+1, across*down, err)
			}
			for j := range min(rows, t.h-y) {
				row := block[j*wide : (j+1)*wide]
				t.undo(row)
				at := 3 * ((y+j)*p.W + x)
				if err := pixels(p.Pix[at:at+3*min(t.bw, t.w-x)], row); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// unpack fills dst with a block.
func (t tiffHeader) unpack(ctx context.Context, b []byte, i int, dst []byte) error {
	from, n := t.offsets.at(i), t.sizes.at(i)
	if from > int64(len(b)) || n > int64(len(b))-from {
		return fmt.Errorf("it is cut: %d bytes at %d in a file of %d", n, from, len(b))
	}
	var r io.Reader = reader{ctx, bytes.NewReader(b[from : from+n])}
	rows := len(dst) / (int(t.blockBytes()) / t.bh)
	fax := ccitt.Options{Invert: t.photometric == 0}
	order := ccitt.MSB
	if t.fill == 2 {
		order = ccitt.LSB
	}
	switch t.compression {
	case compressNone, 0:
	case compressG3:
		r = ccitt.NewReader(r, order, ccitt.Group3, t.bw, rows, &fax)
	case compressG4:
		r = ccitt.NewReader(r, order, ccitt.Group4, t.bw, rows, &fax)
	case compressLZW:
		z := lzw.NewReader(r, lzw.MSB, 8)
		defer z.Close()
		r = z
	case compressDeflate, compressOldDeflate:
		z, err := zlib.NewReader(r)
		if err != nil {
			return err
		}
		defer z.Close()
		r = z
	case compressPacks:
		return unpackBits(dst, b[from:from+n])
	default:
		return fmt.Errorf("its compression is %d: save it with none, LZW, deflate or PackBits", t.compression)
	}
	_, err := io.ReadFull(r, dst)
	return err
}

// unpackBits fills dst. (TIFF 6.0, section 9.)
func unpackBits(dst, src []byte) error {
	for len(dst) > 0 && len(src) > 0 {
		code := int(int8(src[0]))
		src = src[1:]
		switch {
		case code >= 0:
			if len(src) <= code {
				return io.ErrUnexpectedEOF
			}
			dst = dst[copy(dst, src[:code+1]):]
			src = src[code+1:]
		case code > -128:
			if len(src) < 1 {
				return io.ErrUnexpectedEOF
			}
			n := min(1-code, len(dst))
			for i := range n {
				dst[i] = src[0]
			}
			dst, src = dst[n:], src[1:]
		}
	}
	if len(dst) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// undo adds to each sample of a row that of the pixel before, where the file has differences. (TIFF 6.0, section 14.)
func (t tiffHeader) undo(row []byte) {
	if t.predictor != 2 {
		return
	}
	n := t.samples
	if t.bits == 16 {
		for i := 2 * n; i+1 < len(row); i += 2 {
			t.order.PutUint16(row[i:], t.order.Uint16(row[i:])+t.order.Uint16(row[i-2*n:]))
		}
		return
	}
	for i := n; i < len(row); i++ {
		row[i] += row[i-n]
	}
}
