package coco

import (
	"errors"
	"fmt"
	"math"
)

// RLE is a binary mask as run lengths down the columns (column-major), starting with a run of zeros that may be
// empty: Counts[0] zeros, Counts[1] ones, ... The lengths sum to Height*Width.
type RLE struct {
	Height, Width int
	Counts        []uint32
}

// DecodeCounts reads the compressed text of run lengths. Each length is written in groups of five bits, lowest
// first, as characters from '0' with 0x20 for "more follows"; from the fourth on they are differences to the
// length two before. Source: rleFrString of cocoapi's maskApi.c.
func DecodeCounts(text string) ([]uint32, error) {
	var counts []uint32
	for p := 0; p < len(text); {
		var x int64
		for k := 0; ; k++ {
			if p == len(text) {
				return nil, errors.New("the compressed RLE ends in the middle of a run length")
			}
			if k > 6 {
				return nil, fmt.Errorf("the compressed RLE has a run length of more than 32 bits at character %d", p)
			}
			c := int64(text[p]) - '0'
			if c < 0 || c > 0x3f {
				return nil, fmt.Errorf("the compressed RLE has the character %q at %d, want '0' to 'o'", text[p], p)
			}
			p++
			x |= (c & 0x1f) << (5 * k)
			if c&0x20 == 0 {
				if c&0x10 != 0 {
					x |= -1 << (5 * (k + 1))
				}
				break
			}
		}
		if m := len(counts); m > 2 {
			x += int64(counts[m-2])
		}
		if x < 0 || x > math.MaxUint32 {
			return nil, fmt.Errorf("the compressed RLE has the run length %d", x)
		}
		counts = append(counts, uint32(x))
	}
	return counts, nil
}

// Check makes sure that the runs fill the mask.
func (r *RLE) Check() error {
	if r.Height < 0 || r.Width < 0 || r.Height > math.MaxInt32 || r.Width > math.MaxInt32 {
		return fmt.Errorf("the RLE has the size [%d, %d]", r.Height, r.Width)
	}
	sum := uint64(0)
	for _, c := range r.Counts {
		sum += uint64(c)
	}
	if want := uint64(r.Height) * uint64(r.Width); sum != want {
		return fmt.Errorf("the runs of the RLE sum to %d, want %d x %d = %d", sum, r.Height, r.Width, want)
	}
	return nil
}

// Area is the number of ones, in pixels.
func (r *RLE) Area() float64 {
	sum := uint64(0)
	for i := 1; i < len(r.Counts); i += 2 {
		sum += uint64(r.Counts[i])
	}
	return float64(sum)
}

// BBox is [x, y, width, height] of the ones, zeros when there are none.
func (r *RLE) BBox() [4]float64 {
	h := uint64(r.Height)
	if h == 0 {
		return [4]float64{}
	}
	x0, y0, x1, y1 := uint64(math.MaxUint64), h, uint64(0), uint64(0) // x1, y1 inclusive
	at, found := uint64(0), false
	for i, c := range r.Counts {
		n := uint64(c)
		if i%2 == 1 && n > 0 {
			found = true
			first, last := at, at+n-1
			x0, x1 = min(x0, first/h), max(x1, last/h)
			if first/h < last/h { // a run over a column's end touches the last row and the first
				y0, y1 = 0, h-1
			} else {
				y0, y1 = min(y0, first%h), max(y1, last%h)
			}
		}
		at += n
	}
	if !found {
		return [4]float64{}
	}
	return [4]float64{float64(x0), float64(y0), float64(x1 - x0 + 1), float64(y1 - y0 + 1)}
}
