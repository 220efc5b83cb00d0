package backbone

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
	"retinago/internal/kinds"
	"retinago/nn"
)

// RegNet is a network of the design space of Radosavovic et al. 2020, "Designing Network Design Spaces", section 4: residual
// bottlenecks without a bottleneck, whose widths follow a quantized linear function of the depth. It is RegNetX or, with
// squeeze-and-excitation, RegNetY, with torchvision's names: "stem.0.weight", "trunk_output.block1.block1-0.f.a.0.weight".
type RegNet struct {
	Depth        int     // blocks
	Width        int     // of the first block before quantization, w_0 in the paper
	Slope        float64 // growth of the width per block, w_a
	Step         float64 // ratio of the widths of two stages, w_m
	GroupWidth   int     // channels of a group of the 3x3 convolutions
	Squeeze      float64 // of RegNetY: channels of the first layer of an excitation over those of the block's input; 0 has none
	Norm         nn.Norm
	FrozenStages int
	Prefix       string
}

// regnetStem is the channels of the stem.
const regnetStem = 32

// regnetKinds have torchvision's names and numbers.
var regnetKinds = []Kind{
	regnetKind("regnet_x_400mf", RegNet{Depth: 22, Width: 24, Slope: 24.48, Step: 2.54, GroupWidth: 16}),
	regnetKind("regnet_x_800mf", RegNet{Depth: 16, Width: 56, Slope: 35.73, Step: 2.28, GroupWidth: 16}),
	regnetKind("regnet_x_1_6gf", RegNet{Depth: 18, Width: 80, Slope: 34.01, Step: 2.25, GroupWidth: 24}),
	regnetKind("regnet_x_3_2gf", RegNet{Depth: 25, Width: 88, Slope: 26.31, Step: 2.25, GroupWidth: 48}),
	regnetKind("regnet_x_8gf", RegNet{Depth: 23, Width: 80, Slope: 49.56, Step: 2.88, GroupWidth: 120}),
	regnetKind("regnet_x_16gf", RegNet{Depth: 22, Width: 216, Slope: 55.59, Step: 2.1, GroupWidth: 128}),
	regnetKind("regnet_x_32gf", RegNet{Depth: 23, Width: 320, Slope: 69.86, Step: 2, GroupWidth: 168}),
	regnetKind("regnet_y_400mf", RegNet{Depth: 16, Width: 48, Slope: 27.89, Step: 2.09, GroupWidth: 8, Squeeze: .25}),
	regnetKind("regnet_y_800mf", RegNet{Depth: 14, Width: 56, Slope: 38.84, Step: 2.4, GroupWidth: 16, Squeeze: .25}),
	regnetKind("regnet_y_1_6gf", RegNet{Depth: 27, Width: 48, Slope: 20.71, Step: 2.65, GroupWidth: 24, Squeeze: .25}),
	regnetKind("regnet_y_3_2gf", RegNet{Depth: 21, Width: 80, Slope: 42.63, Step: 2.66, GroupWidth: 24, Squeeze: .25}),
	regnetKind("regnet_y_8gf", RegNet{Depth: 17, Width: 192, Slope: 76.82, Step: 2.19, GroupWidth: 56, Squeeze: .25}),
	regnetKind("regnet_y_16gf", RegNet{Depth: 18, Width: 200, Slope: 106.23, Step: 2.48, GroupWidth: 112, Squeeze: .25}),
	regnetKind("regnet_y_32gf", RegNet{Depth: 20, Width: 232, Slope: 115.89, Step: 2.53, GroupWidth: 232, Squeeze: .25}),
}

func regnetKind(name string, r RegNet) Kind {
	family := "RegNetX"
	if r.Squeeze > 0 {
		family = "RegNetY"
	}
	return Kind{
		Kind:   kinds.Kind{Name: name, Text: fmt.Sprintf("%s of %d blocks in groups of %d channels (Radosavovic et al. 2020)", family, r.Depth, r.GroupWidth)},
		Family: family, Width: regnetStem, FixedWidth: true, NormGroups: 8, Torchvision: true,
		New: func(o Options) Network {
			r := r
			r.Norm, r.FrozenStages, r.Prefix = o.Norm, o.FrozenStages, o.Prefix
			return r
		},
	}
}

// stages returns the blocks and the width of each stage (eqs. 2-4): widths rise by Slope per block, are rounded to a power of Step and
// to a multiple of 8, and blocks of one width are a stage. Groups then divide the widths.
func (r RegNet) stages() (blocks, widths [Maps]int) {
	stage, last := -1, 0
	for i := range r.Depth {
		exact := float64(r.Width) + r.Slope*float64(i)
		power := math.RoundToEven(math.Log(exact/float64(r.Width)) / math.Log(r.Step))
		w := int(math.RoundToEven(float64(r.Width)*math.Pow(r.Step, power)/8)) * 8
		if w != last {
			stage, last = stage+1, w
			widths[stage] = r.divisible(w)
		}
		blocks[stage]++
	}
	return blocks, widths
}

// divisible is the multiple of the groups' width next to w that is at most 10% less.
func (r RegNet) divisible(w int) int {
	g := min(r.GroupWidth, w)
	n := max(g, (w+g/2)/g*g)
	if float64(n) < .9*float64(w) {
		n += g
	}
	return n
}

// Channels returns the widths of C2 to C5.
func (r RegNet) Channels() [Maps]int {
	_, widths := r.stages()
	return widths
}

// Build adds the network and returns C2 to C5.
func (r RegNet) Build(b *nn.Builder, x *G.Node) [Maps]*G.Node {
	defer b.EndStages()
	b.Stage(1, r.FrozenStages)
	x = r.convNorm(b, x, "stem", nn.ConvSpec{In: 3, Out: regnetStem, Kernel: 3, Stride: 2, Activation: engine.ReLU}, nil)
	var c [Maps]*G.Node
	in := regnetStem
	blocks, widths := r.stages()
	for s, n := range blocks {
		b.Stage(s+2, r.FrozenStages)
		for i := range n {
			stride := 1
			if i == 0 {
				stride = 2
			}
			x = r.block(b, x, fmt.Sprintf("trunk_output.block%d.block%d-%d.", s+1, s+1, i), in, widths[s], stride)
			in = widths[s]
		}
		c[s] = x
	}
	return c
}

// block is a 1x1, a grouped 3x3 and a 1x1 convolution of one width, added to the input. An excitation comes before the last.
func (r RegNet) block(b *nn.Builder, x *G.Node, name string, in, out, stride int) *G.Node {
	short := x
	if stride != 1 || in != out {
		short = r.convNorm(b, x, name+"proj", nn.ConvSpec{In: in, Out: out, Kernel: 1, Stride: stride}, nil)
	}
	y := r.convNorm(b, x, name+"f.a", nn.ConvSpec{In: in, Out: out, Kernel: 1, Activation: engine.ReLU}, nil)
	y = r.convNorm(b, y, name+"f.b", nn.ConvSpec{In: out, Out: out, Kernel: 3, Stride: stride, Groups: out / min(r.GroupWidth, out), Activation: engine.ReLU}, nil)
	if r.Squeeze > 0 && b.Err() == nil {
		y = b.Excite(y, r.Prefix+name+"f.se", int(math.RoundToEven(r.Squeeze*float64(in))), nn.HeNormal)
	}
	return r.convNorm(b, y, name+"f.c", nn.ConvSpec{In: out, Out: out, Kernel: 1, Activation: engine.ReLU}, short)
}

func (r RegNet) convNorm(b *nn.Builder, x *G.Node, name string, s nn.ConvSpec, res *G.Node) *G.Node {
	if b.Err() != nil {
		return nil
	}
	s.Name, s.Init = r.Prefix+name+".0", nn.HeNormal
	return b.ConvNorm(x, s, nn.NormSpec{Name: r.Prefix + name + ".1", Norm: r.Norm, Eps: NormEps, Momentum: .1, Groups: 8}, res)
}
