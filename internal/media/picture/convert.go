package picture

import (
	"context"
	"fmt"
	"image"
	"image/color"
)

// FromImage copies any of Go's images. Transparency is dropped, as PIL's convert("RGB") does.
func FromImage(m image.Image) *Picture {
	b := m.Bounds()
	p := New(b.Dx(), b.Dy())
	if err := p.draw(context.Background(), m, 0, 0); err != nil {
		panic("picture: " + err.Error())
	}
	return p
}

// draw writes an image, without its transparency, with its corner at x, y; it must lie inside. A context that ends ends it.
func (p *Picture) draw(ctx context.Context, m image.Image, x, y int) error {
	row := rows(m)
	b := m.Bounds()
	for j := range b.Dy() {
		if j%64 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		at := 3 * ((y+j)*p.W + x)
		if err := row(p.Pix[at:at+3*b.Dx()], b.Min.Y+j); err != nil {
			return err
		}
	}
	return nil
}

// rows is a function that writes a row of an image as R, G, B. Kinds that decoders make have fast ones, of the same numbers.
func rows(m image.Image) func(dst []uint8, y int) error {
	x0 := m.Bounds().Min.X
	switch m := m.(type) {
	case *image.NRGBA:
		return func(dst []uint8, y int) error { return fourths(dst, m.Pix[m.PixOffset(x0, y):]) }
	case *image.RGBA:
		if m.Opaque() {
			return func(dst []uint8, y int) error { return fourths(dst, m.Pix[m.PixOffset(x0, y):]) }
		}
	case *image.Gray:
		return func(dst []uint8, y int) error {
			src := m.Pix[m.PixOffset(x0, y):]
			for i := range len(dst) / 3 {
				dst[3*i], dst[3*i+1], dst[3*i+2] = src[i], src[i], src[i]
			}
			return nil
		}
	case *image.Paletted:
		table := make([][3]uint8, len(m.Palette))
		for i, c := range m.Palette {
			v := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]uint8{v.R, v.G, v.B}
		}
		return func(dst []uint8, y int) error {
			src := m.Pix[m.PixOffset(x0, y):]
			for i := range len(dst) / 3 {
				if int(src[i]) >= len(table) {
					return fmt.Errorf("pixel %d of row %d has colour %d of a palette of %d", i, y, src[i], len(table))
				}
				copy(dst[3*i:3*i+3], table[src[i]][:])
			}
			return nil
		}
	case *image.YCbCr:
		return func(dst []uint8, y int) error {
			for i := range len(dst) / 3 {
				l, c := m.YOffset(x0+i, y), m.COffset(x0+i, y)
				dst[3*i], dst[3*i+1], dst[3*i+2] = color.YCbCrToRGB(m.Y[l], m.Cb[c], m.Cr[c])
			}
			return nil
		}
	}
	return func(dst []uint8, y int) error {
		for i := range len(dst) / 3 {
			c := color.NRGBAModel.Convert(m.At(x0+i, y)).(color.NRGBA)
			dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
		}
		return nil
	}
}

// fourths leaves out every fourth byte.
func fourths(dst, src []uint8) error {
	for i := range len(dst) / 3 {
		copy(dst[3*i:3*i+3], src[4*i:])
	}
	return nil
}
