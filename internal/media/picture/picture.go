package picture

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"io"

	"retinago/internal/file"
)

// Picture is an 8-bit RGB image, upright.
type Picture struct {
	W, H int     // pixels
	Pix  []uint8 // R, G, B of each pixel, row by row: [H,W,3]
	More int     // pages or frames of its file behind the first, which is this image
}

// New returns a black image.
func New(w, h int) *Picture { return &Picture{W: w, H: h, Pix: make([]uint8, 3*w*h)} }

// lease is New with undefined pixels.
func lease(w, h int) *Picture { return &Picture{W: w, H: h, Pix: held.get(3 * w * h)} }

// filled returns an image that fill has written; its memory is freed if fill fails or panics.
func filled(w, h int, fill func(*Picture) error) (*Picture, error) {
	p := lease(w, h)
	done := false
	defer func() {
		if !done {
			p.Release()
		}
	}()
	if err := fill(p); err != nil {
		return nil, err
	}
	done = true
	return p, nil
}

// Release frees the pixels' memory for other images. The image must not be used afterwards.
func (p *Picture) Release() {
	if pix := p.Pix; pix != nil {
		p.Pix = nil
		held.put(pix)
	}
}

// At returns the colour of a pixel.
func (p *Picture) At(x, y int) (r, g, b uint8) {
	i := 3 * (y*p.W + x)
	return p.Pix[i], p.Pix[i+1], p.Pix[i+2]
}

// Set changes the colour of a pixel; outside of the image it does nothing.
func (p *Picture) Set(x, y int, r, g, b uint8) {
	if x < 0 || y < 0 || x >= p.W || y >= p.H {
		return
	}
	i := 3 * (y*p.W + x)
	p.Pix[i], p.Pix[i+1], p.Pix[i+2] = r, g, b
}

// Paste copies another image onto this one with its corner at x, y; parts outside are cut.
func (p *Picture) Paste(q *Picture, x, y int) {
	for j := max(0, -y); j < min(q.H, p.H-y); j++ {
		from, to := max(0, -x), min(q.W, p.W-x)
		if from < to {
			copy(p.Pix[3*((y+j)*p.W+x+from):3*((y+j)*p.W+x+to)], q.Pix[3*(j*q.W+from):3*(j*q.W+to)])
		}
	}
}

// WritePNG writes the image losslessly. The file appears whole or not at all.
func (p *Picture) WritePNG(path string) error {
	return p.write(path, func(w io.Writer) error { return png.Encode(w, p.Image()) })
}

// WriteJPEG writes the image at a quality of 1 to 100. The file appears whole or not at all.
func (p *Picture) WriteJPEG(path string, quality int) error {
	return p.write(path, func(w io.Writer) error { return encodeJPEG(w, p, quality) })
}

// EncodeJPEG writes the image as a JPEG of a quality of 1 to 100.
func (p *Picture) EncodeJPEG(w io.Writer, quality int) error { return encodeJPEG(w, p, quality) }

func (p *Picture) write(path string, encode func(io.Writer) error) error {
	if err := file.Write(path, func(w *bufio.Writer) error { return encode(w) }); err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	return nil
}

// Image copies p into an image of Go's package image.
func (p *Picture) Image() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2], 255
	}
	return m
}

// reduced is the image with its sides divided by n and rounded up: means of n x n pixels. It releases the other.
func (p *Picture) reduced(n int) *Picture {
	if n == 1 {
		return p
	}
	defer p.Release()
	q := lease((p.W+n-1)/n, (p.H+n-1)/n)
	for y := range q.H {
		for x := range q.W {
			var sum [3]int
			w, h := min(n, p.W-x*n), min(n, p.H-y*n)
			for j := range h {
				row := p.Pix[3*((y*n+j)*p.W+x*n):]
				for i := range w {
					sum[0], sum[1], sum[2] = sum[0]+int(row[3*i]), sum[1]+int(row[3*i+1]), sum[2]+int(row[3*i+2])
				}
			}
			for c, v := range sum {
				q.Pix[3*(y*q.W+x)+c] = uint8((v + w*h/2) / (w * h))
			}
		}
	}
	return q
}
