package anchors

import (
	"math"

	"retinago/box"
)

// Coder expresses a box relative to an anchor (Girshick et al. 2014, "Rich feature hierarchies", appendix C):
//
//	dx = wx (x - xa)/wa, dy = wy (y - ya)/ha, dw = ww log(w/wa), dh = wh log(h/ha)
//
// where x, y are centres. The zero Coder is NewCoder's.
type Coder struct {
	// Weights multiply dx, dy, dw, dh; RetinaNet has 1.
	Weights [4]float32
	// Clamp bounds dw and dh at decoding, before exp.
	Clamp float32
}

// NewCoder returns RetinaNet's coder: weights 1, and boxes at most 1000/16 times their anchor.
func NewCoder() Coder {
	return Coder{Weights: [4]float32{1, 1, 1, 1}, Clamp: float32(math.Log(1000. / 16))}
}

// Encode returns dx, dy, dw, dh. Both boxes must have area.
func (c Coder) Encode(anchor, gt box.Box) [4]float32 {
	if c == (Coder{}) {
		c = NewCoder()
	}
	aw, ah := anchor.W(), anchor.H()
	w, h := gt.W(), gt.H()
	return [4]float32{
		c.Weights[0] * (gt.X1 + w/2 - (anchor.X1 + aw/2)) / aw,
		c.Weights[1] * (gt.Y1 + h/2 - (anchor.Y1 + ah/2)) / ah,
		c.Weights[2] * float32(math.Log(float64(w/aw))),
		c.Weights[3] * float32(math.Log(float64(h/ah))),
	}
}

// Decode is the inverse of Encode, but for the clamp. The box may reach outside the image.
func (c Coder) Decode(anchor box.Box, d [4]float32) box.Box {
	if c == (Coder{}) {
		c = NewCoder()
	}
	aw, ah := anchor.W(), anchor.H()
	x := d[0]/c.Weights[0]*aw + (anchor.X1 + aw/2)
	y := d[1]/c.Weights[1]*ah + (anchor.Y1 + ah/2)
	w := float32(math.Exp(float64(min(d[2]/c.Weights[2], c.Clamp)))) * aw / 2
	h := float32(math.Exp(float64(min(d[3]/c.Weights[3], c.Clamp)))) * ah / 2
	return box.Box{X1: x - w, Y1: y - h, X2: x + w, Y2: y + h}
}
