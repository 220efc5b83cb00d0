package backbone

import (
	"fmt"
	"strconv"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
	"retinago/internal/kinds"
	"retinago/nn"
)

// ResNet is the residual network of He et al. 2016, "Deep Residual Learning for Image Recognition", table 1, with the
// stride of a bottleneck on its 3x3 convolution (torchvision's form). With Groups it is a ResNeXt (Xie et al. 2017,
// "Aggregated Residual Transformations for Deep Neural Networks", table 1).
type ResNet struct {
	Depth        int  // 18, 34, 50, 101 or 152
	Width        int  // channels of the stem, doubled by each group after the first; 0 is the paper's 64
	Groups       int  // of the 3x3 convolutions of bottlenecks; 0 is 1
	GroupWidth   int  // channels of each in the first group of blocks, where Groups is above 1
	StrideIn1x1  bool // strides of bottlenecks on their first convolution, as in the paper and in detectron2
	Norm         nn.Norm
	FrozenStages int // 0 trains all, 1 freezes the stem, 2 also layer1, up to 5
	Prefix       string
}

// plans holds, per depth, the blocks of each group and whether they are bottlenecks.
var plans = map[int]struct {
	blocks     [4]int
	bottleneck bool
}{
	18:  {[4]int{2, 2, 2, 2}, false},
	34:  {[4]int{3, 4, 6, 3}, false},
	50:  {[4]int{3, 4, 6, 3}, true},
	101: {[4]int{3, 4, 23, 3}, true},
	152: {[4]int{3, 8, 36, 3}, true},
}

// resnetKinds have the names that torchvision gives them. The first blocks of a ResNeXt have a width of their own: its stem has no other.
var resnetKinds = []Kind{
	resnetKind("resnet18", ResNet{Depth: 18}), resnetKind("resnet34", ResNet{Depth: 34}), resnetKind("resnet50", ResNet{Depth: 50}),
	resnetKind("resnet101", ResNet{Depth: 101}), resnetKind("resnet152", ResNet{Depth: 152}),
	resnetKind("resnext50_32x4d", ResNet{Depth: 50, Groups: 32, GroupWidth: 4}),
	resnetKind("resnext101_32x8d", ResNet{Depth: 101, Groups: 32, GroupWidth: 8}),
	resnetKind("resnext101_64x4d", ResNet{Depth: 101, Groups: 64, GroupWidth: 4}),
}

func resnetKind(name string, r ResNet) Kind {
	family, text := "ResNet", fmt.Sprintf("ResNet-%d (He et al. 2016, table 1)", r.Depth)
	if r.Groups > 1 {
		family, text = "ResNeXt", fmt.Sprintf("ResNeXt-%d of %d groups, %d wide (Xie et al. 2017, table 1)", r.Depth, r.Groups, r.GroupWidth)
	}
	return Kind{
		Kind: kinds.Kind{Name: name, Text: text}, Family: family, Width: 64, FixedWidth: r.Groups > 1, NormGroups: 32, StrideIn1x1: true, Torchvision: true,
		New: func(o Options) Network {
			r := r
			r.Width, r.StrideIn1x1, r.Norm, r.FrozenStages, r.Prefix = o.Width, o.StrideIn1x1, o.Norm, o.FrozenStages, o.Prefix
			return r
		},
	}
}

// Channels returns the widths of C2 to C5.
func (r ResNet) Channels() [Maps]int {
	c2 := r.width() * r.expansion()
	return [Maps]int{c2, 2 * c2, 4 * c2, 8 * c2}
}

// Build adds the network and returns C2 to C5. Errors are the builder's.
func (r ResNet) Build(b *nn.Builder, x *G.Node) [Maps]*G.Node {
	plan, ok := plans[r.Depth]
	if !ok {
		b.Check(nil, fmt.Errorf("backbone: no ResNet of depth %d; there are 18, 34, 50, 101 and 152", r.Depth))
		return [Maps]*G.Node{}
	}
	defer b.EndStages()
	b.Stage(1, r.FrozenStages)
	x = r.convNorm(b, x, "conv1", "bn1", nn.ConvSpec{In: 3, Out: r.width(), Kernel: 7, Stride: 2, Activation: engine.ReLU}, nil)
	if b.Err() == nil {
		x = b.Check(nn.MaxPool(x, engine.PoolParams{Kernel: 3, Stride: 2, Pad: 1}))
	}
	var c [Maps]*G.Node
	in := r.width()
	for g, n := range plan.blocks {
		b.Stage(g+2, r.FrozenStages)
		width := r.width() << g
		for i := range n {
			stride := 1
			if i == 0 && g > 0 {
				stride = 2
			}
			name := "layer" + strconv.Itoa(g+1) + "." + strconv.Itoa(i)
			x = r.block(b, x, name, in, width, stride, plan.bottleneck)
			in = width * r.expansion()
		}
		c[g] = x
	}
	return c
}

// block is a basic block (two 3x3) or a bottleneck (1x1, 3x3, 1x1), added to its input.
func (r ResNet) block(b *nn.Builder, x *G.Node, name string, in, width, stride int, bottleneck bool) *G.Node {
	out := width * r.expansion()
	short := x
	if stride != 1 || in != out {
		short = r.convNorm(b, x, name+".downsample.0", name+".downsample.1", nn.ConvSpec{In: in, Out: out, Kernel: 1, Stride: stride}, nil)
	}
	if !bottleneck {
		y := r.convNorm(b, x, name+".conv1", name+".bn1", nn.ConvSpec{In: in, Out: width, Kernel: 3, Stride: stride, Activation: engine.ReLU}, nil)
		return r.convNorm(b, y, name+".conv2", name+".bn2", nn.ConvSpec{In: width, Out: out, Kernel: 3, Activation: engine.ReLU}, short)
	}
	if r.Groups > 1 {
		width = width * r.GroupWidth / 64 * r.Groups
	}
	first, second := 1, stride
	if r.StrideIn1x1 {
		first, second = stride, 1
	}
	y := r.convNorm(b, x, name+".conv1", name+".bn1", nn.ConvSpec{In: in, Out: width, Kernel: 1, Stride: first, Activation: engine.ReLU}, nil)
	y = r.convNorm(b, y, name+".conv2", name+".bn2", nn.ConvSpec{In: width, Out: width, Kernel: 3, Stride: second, Groups: r.Groups, Activation: engine.ReLU}, nil)
	return r.convNorm(b, y, name+".conv3", name+".bn3", nn.ConvSpec{In: width, Out: out, Kernel: 1, Activation: engine.ReLU}, short)
}

func (r ResNet) convNorm(b *nn.Builder, x *G.Node, conv, norm string, s nn.ConvSpec, res *G.Node) *G.Node {
	if b.Err() != nil {
		return nil
	}
	s.Name, s.Init = r.Prefix+conv, nn.HeNormal
	return b.ConvNorm(x, s, nn.NormSpec{Name: r.Prefix + norm, Norm: r.Norm, Eps: NormEps, Momentum: .1, Groups: 32}, res)
}

func (r ResNet) width() int {
	if r.Width == 0 {
		return 64
	}
	return r.Width
}

func (r ResNet) expansion() int {
	if plans[r.Depth].bottleneck {
		return 4
	}
	return 1
}
