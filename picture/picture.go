package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// Picture is an 8-bit RGB picture, upright.
type Picture struct {
	W, H int     // pixels
	Pix  []uint8 // R, G, B of each pixel, row by row: [H,W,3]
}

// New returns a black picture.
func New(w, h int) *Picture { return &Picture{W: w, H: h, Pix: make([]uint8, 3*w*h)} }

// At is the colour of a pixel.
func (p *Picture) At(x, y int) (r, g, b uint8) {
	i := 3 * (y*p.W + x)
	return p.Pix[i], p.Pix[i+1], p.Pix[i+2]
}

// Set changes the colour of a pixel; outside of the picture it does nothing.
func (p *Picture) Set(x, y int, r, g, b uint8) {
	if x < 0 || y < 0 || x >= p.W || y >= p.H {
		return
	}
	i := 3 * (y*p.W + x)
	p.Pix[i], p.Pix[i+1], p.Pix[i+2] = r, g, b
}

// Paste copies another picture onto this one with its corner at x, y; what lies outside is cut.
func (p *Picture) Paste(q *Picture, x, y int) {
	for j := max(0, -y); j < min(q.H, p.H-y); j++ {
		from, to := max(0, -x), min(q.W, p.W-x)
		if from < to {
			copy(p.Pix[3*((y+j)*p.W+x+from):3*((y+j)*p.W+x+to)], q.Pix[3*(j*q.W+from):3*(j*q.W+to)])
		}
	}
}

// WritePNG writes the picture losslessly. The file appears whole or not at all.
func (p *Picture) WritePNG(path string) error {
	return p.write(path, func(w io.Writer, m image.Image) error { return png.Encode(w, m) })
}

// WriteJPEG writes the picture at a quality of 1 to 100. The file appears whole or not at all.
func (p *Picture) WriteJPEG(path string, quality int) error {
	return p.write(path, func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: quality}) })
}

func (p *Picture) write(path string, encode func(io.Writer, image.Image) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("picture: writing %s: %w", path, err)
		}
	}()
	err = encode(f, p.image())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// image is the picture for Go's encoders.
func (p *Picture) image() image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2], 255
	}
	return m
}

// FromImage copies any of Go's images. Transparency is dropped, as PIL's convert("RGB") does.
func FromImage(m image.Image) *Picture {
	b := m.Bounds()
	p := New(b.Dx(), b.Dy())
	for y := range p.H {
		for x := range p.W {
			c := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			p.Set(x, y, c.R, c.G, c.B)
		}
	}
	return p
}
