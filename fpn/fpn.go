package fpn

import (
	"strconv"

	G "gorgonia.org/gorgonia"

	"retinago/nn"
)

// Pyramid is a feature pyramid of five levels.
type Pyramid struct {
	Width    int  // channels of every level
	P6FromP5 bool // else from C5, which the paper uses
	PlainP7  bool // P7 without the ReLU on P6 that the paper has, as in mmdetection
	Prefix   string
}

// Levels is the number of levels, P3 to P7.
const Levels = 5

// Strides are the pixels per cell of P3 to P7.
func Strides() []int { return []int{8, 16, 32, 64, 128} }

// Build adds the pyramid over C3, C4 and C5 with the given channel counts. Errors are the builder's.
func (p Pyramid) Build(b *nn.Builder, c [3]*G.Node, channels [3]int) [Levels]*G.Node {
	var out [Levels]*G.Node
	var top *G.Node
	for i := 2; i >= 0; i-- {
		n := strconv.Itoa(i)
		x := b.Conv(c[i], p.conv("inner_blocks."+n+".0", channels[i], 1, 1))
		if top != nil && b.Err() == nil {
			x = b.Check(nn.UpsampleAdd(top, x))
		}
		top = x
		out[i] = b.Conv(x, p.conv("layer_blocks."+n+".0", p.Width, 3, 1))
	}
	from, width := c[2], channels[2]
	if p.P6FromP5 {
		from, width = out[2], p.Width
	}
	out[3] = b.Conv(from, p.conv("extra_blocks.p6", width, 3, 2))
	if b.Err() != nil {
		return out
	}
	p6 := out[3]
	if !p.PlainP7 {
		p6 = b.Check(nn.ReLU(p6))
	}
	out[4] = b.Conv(p6, p.conv("extra_blocks.p7", p.Width, 3, 2))
	return out
}

func (p Pyramid) conv(name string, in, kernel, stride int) nn.ConvSpec {
	return nn.ConvSpec{Name: p.Prefix + name, In: in, Out: p.Width, Kernel: kernel, Stride: stride, Bias: true, Init: nn.LecunUniform}
}
