package backbone

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"

	"retinago/internal/kinds"
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

// Options are the settings of a network.
type Options struct {
	Width        int     // channels of the stem; 0 is the paper's
	StrideIn1x1  bool    // strides of bottlenecks on their first convolution, where Kind.StrideIn1x1 says so
	Slope        float32 // of activations below 0, where Kind.Slope says so
	Norm         nn.Norm
	FrozenStages int // 0 trains all, 1 freezes the first, up to Stages
	Prefix       string
}

// Kind is a network by its name.
type Kind struct {
	kinds.Kind
	Family      string // what differs in depth and width alone
	Width       int    // channels of the stem where Options give none: the paper's
	FixedWidth  bool   // there is no other width
	NormGroups  int    // of group norms; the stem's width must be a multiple of it
	Slope       bool   // reads Options.Slope
	StrideIn1x1 bool   // reads Options.StrideIn1x1
	Torchvision bool   // torchvision has the network, with the same names of parameters
	New         func(Options) Network
}

// Kinds are the networks, each family from the smallest to the largest.
var Kinds = slices.Concat(resnetKinds, mobileKinds, regnetKinds)

// Smallest returns the first network of each family of Kinds.
func Smallest() []Kind {
	var out []Kind
	for _, k := range Kinds {
		if !slices.ContainsFunc(out, func(o Kind) bool { return o.Family == k.Family }) {
			out = append(out, k)
		}
	}
	return out
}

// Find returns the network of that name.
func Find(name string) (Kind, error) { return kinds.Find(Kinds, "backbone", name) }

// New returns a network by the name that torchvision gives it.
func New(name string, o Options) (Network, error) {
	k, err := Find(name)
	if err != nil {
		return nil, fmt.Errorf("backbone: %w", err)
	}
	return k.New(o), nil
}
