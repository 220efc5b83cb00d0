package head

import (
	"math"
	"math/rand/v2"
	"strconv"

	G "gorgonia.org/gorgonia"

	"retinago/engine"
	"retinago/nn"
)

// Head is the pair of subnets.
type Head struct {
	Width   int // channels of pyramid and towers
	Depth   int // convolutions in each tower; the paper uses 4
	Anchors int // per cell
	Classes int // without background
	// Background adds a logit for the background after those of the classes, for a softmax over each anchor's logits.
	Background bool
	GroupNorm  bool              // after each convolution of the towers
	Activation engine.Activation // after each convolution of the towers
	Prior      float64           // foreground probability at the start, the paper's pi = 0.01 (section 4.1)
	Prefix     string
}

// Class adds the class subnet to levels of the pyramid and returns their logits [N,h,w,A*K], in float32. Each convolution runs on all
// levels before the next one, so that its weights are prepared once.
func (h Head) Class(b *nn.Builder, levels []*G.Node) []*G.Node {
	const name = "classification_head."
	return each(h.tower(b, levels, name), func(x *G.Node) *G.Node {
		return b.Widen(b.Conv(x, nn.ConvSpec{
			Name: h.Prefix + name + "cls_logits", In: h.Width, Out: h.Anchors * h.Logits(), Kernel: 3,
			Bias: true, BiasInit: h.prior, Init: nn.Normal(.01),
		}))
	})
}

// Logits returns the number of logits per anchor.
func (h Head) Logits() int {
	if h.Background {
		return h.Classes + 1
	}
	return h.Classes
}

// prior returns the initial bias of the class logits. With it each sigmoid begins at Prior; of a softmax, all classes together do.
func (h Head) prior(r *rand.Rand, shape []int, v []float32) {
	odds := (1 - h.Prior) / h.Prior
	if !h.Background {
		nn.Constant(float32(-math.Log(odds)))(r, shape, v)
		return
	}
	for i := h.Classes; i < len(v); i += h.Logits() {
		v[i] = float32(math.Log(float64(h.Classes) * odds))
	}
}

// Box adds the box subnet to levels of the pyramid and returns their deltas [N,h,w,A*4], in the order of Class.
func (h Head) Box(b *nn.Builder, levels []*G.Node) []*G.Node {
	const name = "regression_head."
	return each(h.tower(b, levels, name), func(x *G.Node) *G.Node {
		return b.Widen(b.Conv(x, nn.ConvSpec{
			Name: h.Prefix + name + "bbox_reg", In: h.Width, Out: h.Anchors * 4, Kernel: 3, Bias: true, Init: nn.Normal(.01),
		}))
	})
}

func (h Head) tower(b *nn.Builder, levels []*G.Node, name string) []*G.Node {
	for i := range h.Depth {
		n := h.Prefix + name + "conv." + strconv.Itoa(i)
		s := nn.ConvSpec{Name: n + ".0", In: h.Width, Out: h.Width, Kernel: 3, Activation: h.Activation, Bias: !h.GroupNorm, Init: nn.Normal(.01)}
		levels = each(levels, func(x *G.Node) *G.Node {
			if h.GroupNorm {
				return b.ConvNorm(x, s, nn.NormSpec{Name: n + ".1", Norm: nn.Group, Eps: 1e-5, Groups: Groups(h.Width)}, nil)
			}
			return b.Conv(x, s)
		})
	}
	return levels
}

func each(levels []*G.Node, add func(*G.Node) *G.Node) []*G.Node {
	out := make([]*G.Node, len(levels))
	for i, x := range levels {
		out[i] = add(x)
	}
	return out
}

// Groups returns the number of groups for group norm over c channels: 32 as Wu and He 2018 found best, halved until it
// divides a narrower tower.
func Groups(c int) int {
	g := 32
	for c%g != 0 {
		g /= 2
	}
	return g
}
