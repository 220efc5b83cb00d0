package picture

// #include "filter.h"
import "C"

import (
	"bytes"
	"fmt"
	"math"
	"unsafe"

	"retinago/augment"
)

// Filter applies filters to an image in their order. It releases p, unless there are none and it returns p itself. Results depend on
// the pixels, the filters and their seeds alone.
func Filter(p *Picture, filters []augment.Filter) (*Picture, error) {
	for _, f := range filters {
		q, err := filter(p, f)
		if q != p {
			p.Release()
		}
		if err != nil {
			return nil, err
		}
		p = q
	}
	return p, nil
}

// filter returns a new image, or p with new pixels.
func filter(p *Picture, f augment.Filter) (*Picture, error) {
	switch f.Kind {
	case augment.Noise:
		if !(f.Value >= 0 && f.Value <= 255) {
			return nil, fmt.Errorf("picture: noise of standard deviation %g: give 0 to 255", f.Value)
		}
		noise(p.Pix, 0, f.Seed, f.Value)
		return p, nil
	case augment.Blur:
		if !(f.Value >= 0) {
			return nil, fmt.Errorf("picture: a blur of standard deviation %g px: give a number from 0 on", f.Value)
		}
		return blurred(p, f.Value), nil
	case augment.JPEG:
		if !(f.Value >= 1 && f.Value <= 100) {
			return nil, fmt.Errorf("picture: a JPEG of quality %g: give 1 to 100", f.Value)
		}
		return compressed(p, int(math.Round(f.Value)))
	}
	return nil, fmt.Errorf("picture: no filter has the kind %d", f.Kind)
}

// noise adds deviates to values of an image, the first of which has the number first.
func noise(pix []uint8, first int, seed uint64, deviation float64) {
	C.rn_picture_noise((*C.uint8_t)(unsafe.Pointer(&pix[0])), C.int64_t(len(pix)), C.uint32_t(first), C.uint64_t(seed), C.float(deviation))
}

// blurred is p under a Gaussian that ends at three standard deviations, or at the longer side of p. Beyond the border pixels continue.
func blurred(p *Picture, deviation float64) *Picture {
	radius := int(min(math.Ceil(3*deviation), float64(max(p.W, p.H))))
	if radius == 0 {
		return p
	}
	weights := gaussian(deviation, radius)
	row := make([]float32, 3*(p.W+2*radius))
	q := lease(p.W, p.H)
	q.More = p.More
	C.rn_picture_blur((*C.uint8_t)(unsafe.Pointer(&q.Pix[0])), (*C.uint8_t)(unsafe.Pointer(&p.Pix[0])), C.int64_t(p.W), C.int64_t(p.H),
		(*C.float)(unsafe.Pointer(&weights[0])), C.int64_t(radius), (*C.float)(unsafe.Pointer(&row[0])))
	return q
}

// gaussian returns weights of the distances -radius to radius, whose sum is 1.
func gaussian(deviation float64, radius int) []float32 {
	exact, sum := make([]float64, 2*radius+1), 0.
	for i := range exact {
		d := float64(i-radius) / deviation
		exact[i] = math.Exp(-d * d / 2)
		sum += exact[i]
	}
	out := make([]float32, len(exact))
	for i, v := range exact {
		out[i] = float32(v / sum)
	}
	return out
}

// compressed is p after a JPEG of a quality.
func compressed(p *Picture, quality int) (*Picture, error) {
	var b bytes.Buffer
	if err := encodeJPEG(&b, p, quality); err != nil {
		return nil, fmt.Errorf("picture: a JPEG of %dx%d pixels: %w", p.W, p.H, err)
	}
	q, err := DecodeBytes("the image as a JPEG", b.Bytes())
	if err != nil {
		return nil, err
	}
	q.More = p.More
	return q, nil
}
