package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"strings"
	"testing"
)

// pages is a TIFF of copies of a page whose directories have a subfile type (tag 254) each.
func pages(kinds ...uint32) []byte {
	o := binary.LittleEndian
	b := append([]byte("II*\x00"), 0, 0, 0, 0)
	b = append(b, make([]byte, 12)...) // pixels, grey
	link := 4
	for _, kind := range kinds {
		o.PutUint32(b[link:], uint32(len(b)))
		tags := [][3]uint32{{254, 4, kind}, {256, 3, 4}, {257, 3, 3}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {277, 3, 1}, {278, 3, 3}, {279, 4, 12}}
		b = o.AppendUint16(b, uint16(len(tags)))
		for _, t := range tags {
			b = o.AppendUint32(o.AppendUint32(o.AppendUint16(o.AppendUint16(b, uint16(t[0])), uint16(t[1])), 1), t[2])
		}
		link = len(b)
		b = o.AppendUint32(b, 0)
	}
	return b
}

// animated is a WebP of frames that are the same chunk, at a place of a canvas of 40x30.
func animated(webp []byte, x, y, n int) []byte {
	b := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), 2, 0, 0, 0, 39, 0, 0, 29, 0, 0)
	b = append(b, "ANIM\x06\x00\x00\x00\xff\xff\xff\xff\x00\x00"...)
	for range n {
		frame := append([]byte{byte(x / 2), 0, 0, byte(y / 2), 0, 0, 11, 0, 0, 8, 0, 0, 100, 0, 0, 0}, webp[12:]...)
		b = binary.LittleEndian.AppendUint32(append(b, "ANMF"...), uint32(len(frame)))
		b = append(b, frame...)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// The first page or frame of a file is read, and the number of the others is known.
func TestFurther(t *testing.T) {
	film := func(n int) []byte {
		g := &gif.GIF{}
		for i := range n {
			m := image.NewPaletted(image.Rect(0, 0, 8, 6), color.Palette{color.Black, color.White, color.Gray{90}})
			m.Pix[i] = 1
			g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
		}
		return encode(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, g) })
	}
	still := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, gradient(8, 6).Image()) })
	control := make([]byte, 26)
	apng := withChunk(still, "acTL", []byte{0, 0, 0, 5, 0, 0, 0, 0}, false)
	loop := pages(0, 0)
	binary.LittleEndian.PutUint32(loop[len(loop)-4:], binary.LittleEndian.Uint32(loop[4:]))
	for _, k := range []struct {
		name string
		b    []byte
		more int
	}{
		{"a GIF", film(1), 0},
		{"a GIF of 2", film(2), 1},
		{"a GIF of 9", film(9), 8},
		{"a GIF with a small frame", smallFrame(), 0},
		{"a TIFF", pages(0), 0},
		{"a TIFF of 3 pages", pages(2, 2, 2), 2},
		{"a TIFF with a thumbnail", pages(0, 1), 0},
		{"a TIFF with a mask and two smaller ones", pages(0, 4, 1, 5), 0},
		{"a TIFF of 2 pages and their thumbnails", pages(0, 1, 0, 1), 1},
		{"a TIFF whose pages go round", loop, 1},
		{"a PNG", still, 0},
		{"an APNG whose still image is no frame", apng, 5},
		{"an APNG", withChunk(apng, "fcTL", control, false), 4},
		{"a lossless WebP", losslessWebP, 0},
		{"a WebP of the extended format", extended(lossyWebP, 12, 9, nil, 0), 0},
		{"an animated WebP, lossy", animated(lossyWebP, 4, 2, 3), 2},
		{"an animated WebP, lossless", animated(losslessWebP, 28, 20, 1), 0},
		{"an animated WebP of 7", animated(losslessWebP, 0, 0, 7), 6},
	} {
		p, err := DecodeBytes(k.name, k.b)
		if err != nil {
			t.Errorf("%s: %v", k.name, err)
			continue
		}
		if p.More != k.more {
			t.Errorf("%s: %d more, want %d", k.name, p.More, k.more)
		}
	}
	// The first frame of an animation lies where the file says, on black.
	p, err := DecodeBytes("animated", animated(losslessWebP, 4, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	want := New(40, 30)
	want.Paste(gradient(12, 9), 4, 2)
	if d := farthest(p, want); d > 0 {
		t.Errorf("an animation: %dx%d, a pixel is off by %d", p.W, p.H, d)
	}
	if _, err := DecodeBytes("outside", animated(losslessWebP, 30, 22, 1)); err == nil {
		t.Error("a frame outside of its canvas is read")
	}
	for n := range len(animated(losslessWebP, 4, 2, 2)) { // cut anywhere: an error or an image, and no panic
		if _, err := DecodeBytes("cut", animated(losslessWebP, 4, 2, 2)[:n]); err != nil && strings.Contains(err.Error(), "panics") {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

// A file of a known format that is not read is named, with what to do; a sound file whose pixels are not read is not called damaged.
func TestUnread(t *testing.T) {
	float := pages(0)
	at := bytes.Index(float, []byte{0x16, 1, 3, 0}) // the rows of a strip become the format of samples: 3 is floating point
	copy(float[at:], []byte{0x53, 1, 3, 0, 1, 0, 0, 0, 3, 0})
	for name, k := range map[string]struct {
		b    string
		want []string
	}{
		"heic":        {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", []string{"HEIC", "convert"}},
		"heif":        {"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00", []string{"HEIF", "convert"}},
		"avif":        {"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", []string{"AVIF", "convert"}},
		"video":       {"\x00\x00\x00\x1cftypisom\x00\x00\x00\x00", []string{"video", ".mp4"}},
		"avi":         {"RIFF\x00\x00\x00\x00AVI LIST", []string{"video", ".avi"}},
		"matroska":    {"\x1aE\xdf\xa3\x01", []string{"video", ".mkv"}},
		"jxl":         {"\xff\x0a\xfa\x1f", []string{"JPEG XL", "convert"}},
		"jp2":         {"\x00\x00\x00\x0cjP  \r\n\x87\n", []string{"JPEG 2000", "convert"}},
		"psd":         {"8BPS\x00\x01", []string{"Photoshop", "convert"}},
		"bigtiff":     {"II+\x00\x08\x00\x00\x00", []string{"BigTIFF", "convert"}},
		"ppm":         {"P6\n4 3\n255\n", []string{"PPM", "convert"}},
		"appledouble": {"\x00\x05\x16\x07\x00\x02\x00\x00", []string{"resource fork", "leave"}},
		"svg":         {"<svg xmlns='http://www.w3.org/2000/svg'/>", []string{"SVG", "PNG"}},
		"page":        {"<!DOCTYPE html><html>", []string{"web page", "download"}},
		"lfs":         {"version https://git-lfs.github.com/spec/v1\n", []string{"Git LFS", "git lfs pull"}},
		"pdf":         {"%PDF-1.4\n", []string{"PDF", "JPEG"}},
		"zip":         {"PK\x03\x04\x14\x00", []string{"ZIP", "unpack"}},
		"text":        {"hello", []string{"does not start with the signature"}},
		"float TIFF":  {string(float), []string{"sample format", "save it"}},
	} {
		_, err := DecodeBytes(name, []byte(k.b))
		_, again := Probe(name, []byte(k.b))
		for _, err := range []error{err, again} {
			if err == nil || strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, w := range append(k.want, name) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%s: %v; want %q", name, err, w)
				}
			}
		}
		if unknown := name != "float TIFF"; errors.Is(again, image.ErrFormat) != unknown {
			t.Errorf("%s: %v", name, again)
		}
	}
}
