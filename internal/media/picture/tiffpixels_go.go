//go:build !opencv

package picture

import (
	"fmt"
	"image/color"
)

// pixels is the function that makes R, G, B of a row's samples.
func (t tiffHeader) pixels(palette color.Palette) (func(dst, row []byte) error, error) {
	sample := func(row []byte, i int) uint32 { // of 16 bits
		switch t.bits {
		case 1:
			return uint32(row[i/8]>>(7-i%8)&1) * 0xffff
		case 8:
			return uint32(row[i]) * 0x101
		}
		return uint32(t.order.Uint16(row[2*i:]))
	}
	each := func(f func(row []byte, i int) (r, g, b uint8, err error)) func(dst, row []byte) error {
		return func(dst, row []byte) (err error) {
			for i := 0; i < len(dst) && err == nil; i += 3 {
				dst[i], dst[i+1], dst[i+2], err = f(row, i/3)
			}
			return err
		}
	}
	switch {
	case t.photometric <= 1 && t.samples == 1:
		flip := uint32(0)
		if t.photometric == 0 {
			flip = 0xffff
		}
		return each(func(row []byte, i int) (r, g, b uint8, err error) {
			v := uint8((sample(row, i) ^ flip) >> 8)
			return v, v, v, nil
		}), nil
	case t.photometric == 3 && t.samples == 1 && t.bits <= 8:
		return each(func(row []byte, i int) (r, g, b uint8, err error) {
			k := int(sample(row, i) >> 8)
			if t.bits == 1 {
				k &= 1
			}
			if k >= len(palette) {
				return 0, 0, 0, fmt.Errorf("a pixel has colour %d of a palette of %d", k, len(palette))
			}
			v := color.NRGBAModel.Convert(palette[k]).(color.NRGBA)
			return v.R, v.G, v.B, nil
		}), nil
	case t.photometric == 2 && t.samples == 4 && t.bits == 16 && (t.extra == 1 || t.extra == 2):
		return each(func(row []byte, i int) (r, g, b uint8, err error) {
			i *= 4
			v := color.Color(color.NRGBA64{uint16(sample(row, i)), uint16(sample(row, i+1)), uint16(sample(row, i+2)), uint16(sample(row, i+3))})
			if t.extra == 1 {
				v = color.RGBA64(v.(color.NRGBA64))
			}
			u := color.NRGBAModel.Convert(v).(color.NRGBA)
			return u.R, u.G, u.B, nil
		}), nil
	case t.photometric == 2 && (t.samples == 3 || t.samples == 4 && t.extra == 2):
		return each(func(row []byte, i int) (r, g, b uint8, err error) {
			i *= t.samples
			return uint8(sample(row, i) >> 8), uint8(sample(row, i+1) >> 8), uint8(sample(row, i+2) >> 8), nil
		}), nil
	case t.photometric == 2 && t.samples == 4 && t.extra == 1:
		return each(func(row []byte, i int) (r, g, b uint8, err error) {
			i *= 4
			v := color.RGBA{row[i], row[i+1], row[i+2], row[i+3]}
			u := color.NRGBAModel.Convert(v).(color.NRGBA)
			return u.R, u.G, u.B, nil
		}), nil
	}
	return nil, fmt.Errorf("its pixels are %d samples of %d bits of kind %d: save it as grey, palette or RGB of 8 or 16 bits", t.samples, t.bits, t.photometric)
}
