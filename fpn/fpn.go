package fpn

import (
	"strconv"

	G "gorgonia.org/gorgonia"

	"retinago/backbone"
	"retinago/engine"
	"retinago/nn"
)

// Pyramid is a feature pyramid of five levels, P3 to P7, or six with P2.
type Pyramid struct {
	Width    int  // channels of every level
	P2       bool // begin at C2, for small objects
	Path     bool // a second path from the finest level up to P5 (PANet)
	P6FromP5 bool // P6 from P5; else from C5, as in the paper
	PlainP7  bool // P7 without the ReLU on P6 that the paper has, as in mmdetection
	Prefix   string
}

// First returns the number of the finest level, 2 or 3.
func (p Pyramid) First() int {
	if p.P2 {
		return 2
	}
	return 3
}

// Strides returns the pixels per cell of every level; the last is P7's 128.
func (p Pyramid) Strides() []int {
	var s []int
	for l := p.First(); l <= 7; l++ {
		s = append(s, 1<<l)
	}
	return s
}

// Build adds the pyramid over C2 to C5 with the given channel counts, and returns its levels, the finest first. Errors
// are the builder's.
func (p Pyramid) Build(b *nn.Builder, c [backbone.Maps]*G.Node, channels [backbone.Maps]int) []*G.Node {
	maps, widths := c[p.First()-2:], channels[p.First()-2:]
	n := len(maps)
	out := make([]*G.Node, n+2)
	var top *G.Node
	for i := n - 1; i >= 0; i-- {
		x := b.Conv(maps[i], p.conv("inner_blocks."+strconv.Itoa(i)+".0", widths[i], 1, 1))
		if top != nil && b.Err() == nil {
			x = b.Check(nn.UpsampleAdd(top, x))
		}
		top = x
		out[i] = b.Conv(x, p.conv("layer_blocks."+strconv.Itoa(i)+".0", p.Width, 3, 1))
	}
	if p.Path {
		p.path(b, out[:n])
	}
	from, width := maps[n-1], widths[n-1]
	if p.P6FromP5 {
		from, width = out[n-1], p.Width
	}
	p6 := b.Conv(from, p.conv("extra_blocks.p6", width, 3, 2))
	out[n] = p6
	if !p.PlainP7 && b.Err() == nil {
		p6 = b.Check(nn.Activate(p6, engine.ReLU))
	}
	out[n+1] = b.Conv(p6, p.conv("extra_blocks.p7", p.Width, 3, 2))
	return out
}

// path replaces each level above the first by a convolution of its sum with the finer one at half size (Liu et al. 2018,
// section 3.1). As in mmdetection, there are no activations between.
func (p Pyramid) path(b *nn.Builder, level []*G.Node) {
	for i := 1; i < len(level); i++ {
		if b.Err() != nil {
			return
		}
		n := strconv.Itoa(i - 1)
		sum := b.ConvAdd(level[i-1], level[i], p.conv("down_blocks."+n+".0", p.Width, 3, 2))
		level[i] = b.Conv(sum, p.conv("path_blocks."+n+".0", p.Width, 3, 1))
	}
}

func (p Pyramid) conv(name string, in, kernel, stride int) nn.ConvSpec {
	return nn.ConvSpec{Name: p.Prefix + name, In: in, Out: p.Width, Kernel: kernel, Stride: stride, Bias: true, Init: nn.LecunUniform}
}
