package backbone

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
	"retinago/internal/kinds"
	"retinago/nn"
)

// MobileNetV1 is the network of depthwise separable convolutions of Howard et al. 2017, "MobileNets", table 1, without
// its classifier. Parameters are named as in the published weights of RetinaFace: "stage1.0.0.weight" and so on.
type MobileNetV1 struct {
	Width        int     // channels of the stem; 0 is the paper's 32, 8 its width multiplier of 0.25
	Slope        float32 // of the activations below 0; the paper has 0, RetinaFace's weights .1
	Norm         nn.Norm
	FrozenStages int
	Prefix       string
}

var mobileKinds = []Kind{
	{
		Kind:   kinds.Kind{Name: "mobilenet_v1", Text: "MobileNet (Howard et al. 2017, table 1), with the names of RetinaFace's published weights"},
		Family: "MobileNetV1", Width: 32, NormGroups: 8, Slope: true,
		New: func(o Options) Network {
			return MobileNetV1{Width: o.Width, Slope: o.Slope, Norm: o.Norm, FrozenStages: o.FrozenStages, Prefix: o.Prefix}
		},
	},
	{
		Kind:   kinds.Kind{Name: "mobilenet_v2", Text: "MobileNetV2 (Sandler et al. 2018, table 2)"},
		Family: "MobileNetV2", Width: 32, NormGroups: 8, Torchvision: true,
		New: func(o Options) Network {
			return MobileNetV2{Width: o.Width, Norm: o.Norm, FrozenStages: o.FrozenStages, Prefix: o.Prefix}
		},
	},
}

// separable is a depthwise and a pointwise convolution, with channels in multiples of the stem's.
type separable struct{ out, stride int }

// v1Stages are table 1's rows, cut where strides 8, 16 and 32 end.
var v1Stages = [3][]separable{
	{{2, 1}, {4, 2}, {4, 1}, {8, 2}, {8, 1}},
	{{16, 2}, {16, 1}, {16, 1}, {16, 1}, {16, 1}, {16, 1}},
	{{32, 2}, {32, 1}},
}

// Channels returns the widths of C2 to C5.
func (m MobileNetV1) Channels() [Maps]int {
	w := m.width()
	return [Maps]int{4 * w, 8 * w, 16 * w, 32 * w}
}

// Build adds the network and returns C2 to C5.
func (m MobileNetV1) Build(b *nn.Builder, x *G.Node) [Maps]*G.Node {
	defer b.EndStages()
	net := mobile{b, m.Prefix, m.Norm, engine.LeakyReLU(m.Slope)}
	b.Stage(1, m.FrozenStages)
	x = net.conv(x, "stage1.0.0", "stage1.0.1", nn.ConvSpec{In: 3, Out: m.width(), Kernel: 3, Stride: 2, Activation: engine.ReLU}, nil)
	var c [Maps]*G.Node
	in, halved := m.width(), 1 // times the image was halved
	for s, stage := range v1Stages {
		for i, row := range stage {
			at := i
			if s == 0 {
				at++ // after the stem
			}
			if row.stride == 2 {
				if halved >= 2 {
					c[halved-2] = x
				}
				halved++
			}
			b.Stage(halved, m.FrozenStages)
			name := fmt.Sprintf("stage%d.%d.", s+1, at)
			out := row.out * m.width()
			x = net.conv(x, name+"0", name+"1", nn.ConvSpec{In: in, Out: in, Kernel: 3, Stride: row.stride, Groups: in, Activation: engine.ReLU}, nil)
			x = net.conv(x, name+"3", name+"4", nn.ConvSpec{In: in, Out: out, Kernel: 1, Activation: engine.ReLU}, nil)
			in = out
		}
	}
	c[Maps-1] = x
	return c
}

func (m MobileNetV1) width() int {
	if m.Width == 0 {
		return 32
	}
	return m.Width
}

// MobileNetV2 is the network of inverted residuals of Sandler et al. 2018, "MobileNetV2", table 2, without its
// classifier, with torchvision's names. C5 is the last 1x1 convolution's.
type MobileNetV2 struct {
	Width        int // channels of the stem; 0 is the paper's 32
	Norm         nn.Norm
	FrozenStages int
	Prefix       string
}

// v2Rows are table 2's: expansion, channels at width 32, repetitions, stride of the first.
var v2Rows = [][4]int{{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}

// Channels returns the widths of C2 to C5.
func (m MobileNetV2) Channels() [Maps]int {
	return [Maps]int{m.scaled(24), m.scaled(32), m.scaled(96), m.last()}
}

// Build adds the network and returns C2 to C5.
func (m MobileNetV2) Build(b *nn.Builder, x *G.Node) [Maps]*G.Node {
	defer b.EndStages()
	net := mobile{b, m.Prefix, m.Norm, engine.ReLU6}
	b.Stage(1, m.FrozenStages)
	in := m.scaled(32)
	x = net.conv(x, "features.0.0", "features.0.1", nn.ConvSpec{In: 3, Out: in, Kernel: 3, Stride: 2, Activation: engine.ReLU}, nil)
	var c [Maps]*G.Node
	block, halved := 1, 1
	for _, row := range v2Rows {
		out := m.scaled(row[1])
		for i := range row[2] {
			stride := 1
			if i == 0 {
				stride = row[3]
			}
			if stride == 2 {
				if halved >= 2 {
					c[halved-2] = x
				}
				halved++
			}
			b.Stage(halved, m.FrozenStages)
			x = net.inverted(x, fmt.Sprintf("features.%d.conv.", block), in, out, row[0], stride)
			in = out
			block++
		}
	}
	name := fmt.Sprintf("features.%d.", block)
	c[Maps-1] = net.conv(x, name+"0", name+"1", nn.ConvSpec{In: in, Out: m.last(), Kernel: 1, Activation: engine.ReLU}, nil)
	return c
}

// scaled is a row's channels at this width, a multiple of 8 that is at most 10% less.
func (m MobileNetV2) scaled(channels int) int {
	w := m.Width
	if w == 0 {
		w = 32
	}
	exact := float64(channels*w) / 32
	n := max(8, int(exact+4)/8*8)
	if float64(n) < .9*exact {
		n += 8
	}
	return n
}

// last is the width of the last convolution, which narrower networks keep.
func (m MobileNetV2) last() int { return MobileNetV2{Width: max(m.Width, 32)}.scaled(1280) }

// mobile builds convolutions with their norms.
type mobile struct {
	b      *nn.Builder
	prefix string
	norm   nn.Norm
	act    engine.Activation
}

func (m mobile) conv(x *G.Node, conv, norm string, s nn.ConvSpec, res *G.Node) *G.Node {
	if m.b.Err() != nil {
		return nil
	}
	s.Name, s.Init = m.prefix+conv, nn.HeNormal
	if s.Activation != engine.None {
		s.Activation = m.act
	}
	// At any width of a stem, multiples of 8 channels split into 8 groups.
	return m.b.ConvNorm(x, s, nn.NormSpec{Name: m.prefix + norm, Norm: m.norm, Eps: NormEps, Momentum: .1, Groups: 8}, res)
}

// inverted is a block of table 1: widen, filter each channel, narrow without activation, and add the input where it fits.
func (m mobile) inverted(x *G.Node, name string, in, out, expand, stride int) *G.Node {
	y, wide, at := x, in*expand, 0
	if expand != 1 {
		y = m.conv(y, name+"0.0", name+"0.1", nn.ConvSpec{In: in, Out: wide, Kernel: 1, Activation: engine.ReLU}, nil)
		at = 1
	}
	y = m.conv(y, fmt.Sprintf("%s%d.0", name, at), fmt.Sprintf("%s%d.1", name, at),
		nn.ConvSpec{In: wide, Out: wide, Kernel: 3, Stride: stride, Groups: wide, Activation: engine.ReLU}, nil)
	var res *G.Node
	if stride == 1 && in == out {
		res = x
	}
	return m.conv(y, fmt.Sprintf("%s%d", name, at+1), fmt.Sprintf("%s%d", name, at+2), nn.ConvSpec{In: wide, Out: out, Kernel: 1}, res)
}
