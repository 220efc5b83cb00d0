package picture

import (
	"retinago/augment"
)

// Scaled returns the image at w x h pixels, bilinear without antialiasing.
func (p *Picture) Scaled(w, h int) *Picture {
	v := make([]float32, 3*w*h)
	position := augment.Scale(float64(w)/float64(p.W), float64(h)/float64(p.H))
	Input{Std: [3]float32{1, 1, 1}}.Draw(v, augment.Single(0, position, w, h), []Source{{p, p.W, p.H}})
	out := New(w, h)
	for i, x := range v {
		out.Pix[i] = uint8(x*255 + .5)
	}
	return out
}
