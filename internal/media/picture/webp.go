package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"golang.org/x/image/vp8l"
)

// webpHeader says where the pixels of a WebP lie.
type webpHeader struct {
	from, to int64 // of the chunk's data, in the file
	lossless bool
	frame    image.Rectangle // of an animation: where its first frame lies; empty for a still image
}

// readWebPHeader walks the chunks to the pixels, those of the first frame of an animation; what stands there may lie behind b. (WebP
// container specification.)
func readWebPHeader(b []byte) (h webpHeader, err error) {
	three := func(i int64) int { return int(b[i]) | int(b[i+1])<<8 | int(b[i+2])<<16 }
	for i := int64(12); i+8 <= int64(len(b)); {
		kind, n := string(b[i:i+4]), int64(binary.LittleEndian.Uint32(b[i+4:]))
		switch {
		case kind == "VP8 " || kind == "VP8L":
			h.from, h.to, h.lossless = i+8, i+8+n, kind == "VP8L"
			return h, nil
		case kind == "ANMF" && i+24 <= int64(len(b)) && h.frame.Empty():
			x, y := 2*three(i+8), 2*three(i+11)
			h.frame = image.Rect(x, y, x+three(i+14)+1, y+three(i+17)+1)
			i += 24 // its chunks follow
			continue
		case kind == "ANMF":
			return h, errCutWebP
		}
		i += 8 + n + n&1
	}
	return h, errCutWebP
}

var errCutWebP = errors.New("it is cut: it has no pixels")

// pixels are the chunk's data. Transparency stands in another, which is left out.
func (h webpHeader) pixels(b []byte) ([]byte, error) {
	if h.to > int64(len(b)) {
		return nil, fmt.Errorf("it is cut: its pixels take %d bytes more than the file has", h.to-int64(len(b)))
	}
	return b[h.from:h.to], nil
}

// decodeWebP decodes a WebP: a lossless one here, since libwebp takes gigabytes for the tables of a small file, and another by
// lossy, from the header and data of its chunk of pixels. Go's decoder bounds the tables. The first frame of an animation lies on black
// where it is smaller than the image.
func decodeWebP(ctx context.Context, b []byte, h Header, lossy func(h Header, data []byte) (*Picture, error)) (*Picture, error) {
	data, err := h.webp.pixels(b)
	if err != nil {
		return nil, err
	}
	frame, at := h, h.webp.frame
	if !at.Empty() {
		if !at.In(image.Rect(0, 0, h.w, h.h)) {
			return nil, fmt.Errorf("its first frame lies at %v, its header says %dx%d", at, h.w, h.h)
		}
		frame.w, frame.h = at.Dx(), at.Dy()
	}
	p, err := decodeChunk(ctx, frame, data, lossy)
	if err != nil || frame.w == h.w && frame.h == h.h {
		return p, err
	}
	defer p.Release()
	return filled(h.w, h.h, func(q *Picture) error {
		clear(q.Pix)
		q.Paste(p, at.Min.X, at.Min.Y)
		return nil
	})
}

// decodeChunk decodes a chunk of pixels of the size of h.
func decodeChunk(ctx context.Context, h Header, data []byte, lossy func(h Header, data []byte) (*Picture, error)) (*Picture, error) {
	if !h.webp.lossless {
		if len(data) < 10 {
			return nil, errCutWebP
		}
		// (RFC 6386, 9.1.)
		if w, y := int(binary.LittleEndian.Uint16(data[6:])&0x3fff), int(binary.LittleEndian.Uint16(data[8:])&0x3fff); w != h.w || y != h.h {
			return nil, fmt.Errorf("its pixels are %dx%d, its header says %dx%d", w, y, h.w, h.h)
		}
		return lossy(h, data)
	}
	c, err := vp8l.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if c.Width != h.w || c.Height != h.h {
		return nil, fmt.Errorf("its pixels are %dx%d, its header says %dx%d", c.Width, c.Height, h.w, h.h)
	}
	return decodeGo(ctx, data, h, func(r reader) (image.Image, error) { return vp8l.Decode(r) })
}

// lossless is what Go's decoder takes for a lossless WebP: 4 bytes a pixel, and besides half of it for the indices of a palette or
// tables, of which it lets a file have 2600 groups.
func (h Header) lossless() int64 {
	n := int64(h.w) * int64(h.h)
	return 4*n + max(2*n, min(300*h.size, 2600*53<<10))
}

// animated is what the first frame of an animation takes beside the image, in bytes.
func (h Header) animated() int64 {
	at := h.webp.frame
	if at.Empty() || at.Dx() == h.w && at.Dy() == h.h || at.Dx() > h.w || at.Dy() > h.h {
		return 0
	}
	return 3 * int64(at.Dx()) * int64(at.Dy())
}

// plainWebP is a file of a lossy chunk alone.
func plainWebP(data []byte) []byte {
	out := make([]byte, 20, 21+len(data))
	copy(out, "RIFF\x00\x00\x00\x00WEBPVP8 ")
	binary.LittleEndian.PutUint32(out[4:], uint32(12+len(data)+len(data)&1))
	binary.LittleEndian.PutUint32(out[16:], uint32(len(data)))
	out = append(out, data...)
	if len(data)&1 > 0 {
		out = append(out, 0)
	}
	return out
}
