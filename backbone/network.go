package backbone

import (
	"fmt"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"

	"retinago/nn"
)

// Network is a convolutional network whose maps a pyramid is built on.
type Network interface {
	// Build adds the network and returns C2, C3, C4 and C5, at strides 4, 8, 16 and 32. Errors are the builder's.
	Build(b *nn.Builder, x *G.Node) [Maps]*G.Node
	// Channels are the widths of the maps.
	Channels() [Maps]int
}

// Maps is the number of maps, C2 to C5.
const Maps = 4

// Stages is the number of stages that can be frozen, one per stride: 2 (a ResNet's stem), 4, 8, 16 and 32.
const Stages = 5

// NormEps is added to variances under the root, as torchvision does.
const NormEps = 1e-5

// Options are what the networks have in common.
type Options struct {
	Width        int     // channels of the stem; 0 is the paper's
	StrideIn1x1  bool    // of a ResNet
	Slope        float32 // of a MobileNetV1's activations below 0
	Norm         nn.Norm
	FrozenStages int // 0 trains all, 1 freezes the first, up to Stages
	Prefix       string
}

// Names lists the networks that there are.
func Names() []string {
	n := append([]string{"mobilenet_v1", "mobilenet_v2"}, resnetNames()...)
	slices.Sort(n)
	return n
}

// New returns a network by the name that torchvision gives it.
func New(name string, o Options) (Network, error) {
	switch name {
	case "mobilenet_v1":
		return MobileNetV1{Width: o.Width, Slope: o.Slope, Norm: o.Norm, FrozenStages: o.FrozenStages, Prefix: o.Prefix}, nil
	case "mobilenet_v2":
		return MobileNetV2{Width: o.Width, Norm: o.Norm, FrozenStages: o.FrozenStages, Prefix: o.Prefix}, nil
	}
	r, ok := resnets[name]
	if !ok {
		return nil, fmt.Errorf("backbone: no %q; there are %s", name, strings.Join(Names(), ", "))
	}
	r.Width, r.StrideIn1x1, r.Norm, r.FrozenStages, r.Prefix = o.Width, o.StrideIn1x1, o.Norm, o.FrozenStages, o.Prefix
	return r, nil
}
