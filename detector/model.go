package detector

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/anchors"
	"retinago/backbone"
	"retinago/box"
	"retinago/config"
	"retinago/engine"
	"retinago/fpn"
	"retinago/head"
	"retinago/internal/model/quant"
	"retinago/nn"
)

// Model is a RetinaNet: its parameters and the graphs over them. Only Anchors may be called concurrently.
type Model struct {
	engine   engine.Engine
	backbone backbone.Network
	pyramid  fpn.Pyramid
	head     head.Head
	anchors  anchors.Config
	params   *nn.Params
	folded   *nn.Folded
	arena    *nn.Arena      // of all graphs: one runs at a time
	scheme   *quant.Scheme  // of an int8 model, nil of a float one
	int8     *quant.Weights // of the scheme
	stale    bool           // parameters were written since the derived copies were made
	grids    grids
	steps    cache[*TrainStep]
	nets     cache[*Net]
}

// BackbonePrefix begins the names of the backbone's parameters; the rest of a name is that of torchvision's classifier.
const BackbonePrefix = "backbone.body."

// Prefixes of the names of the other parts' parameters.
const (
	pyramidPrefix = "backbone.fpn."
	headPrefix    = "head."
)

// New makes a model with fresh parameters on e, drawn from seed.
func New(c config.Model, e engine.Engine, seed uint64) (*Model, error) {
	return build(c, e, nn.NewParams(e, seed))
}

// NewBlank makes a model on e whose parameters are all 0, to be loaded.
func NewBlank(c config.Model, e engine.Engine) (*Model, error) {
	return build(c, e, nn.NewBlankParams(e))
}

// NewToLoad is NewBlank for the tensors of a file, whose shapes the function shape returns. A parameter that the file lacks, or has with
// another shape, is an error before memory is allocated for it, so that no configuration allocates more than the file holds.
func NewToLoad(c config.Model, e engine.Engine, shape func(name string) ([]int, bool)) (*Model, error) {
	params := nn.NewBlankParams(e)
	params.Expect(func(name string, want []int) error {
		switch have, ok := shape(name); {
		case !ok:
			return fmt.Errorf("the file lacks %q %v, which its configuration asks for: it was made by another version, or cut", name, want)
		case !slices.Equal(have, want):
			return fmt.Errorf("the file has %q with shape %v, its configuration asks for %v: it was made by another version", name, have, want)
		}
		return nil
	})
	return build(c, e, params)
}

func build(c config.Model, e engine.Engine, params *nn.Params) (*Model, error) {
	norms := map[string]nn.Norm{"frozen": nn.Frozen, "batch": nn.Batch, "group": nn.Group}
	norm, ok := norms[c.Norm]
	if !ok {
		return nil, fmt.Errorf("detector: unknown norm %q; there are frozen, batch and group", c.Norm)
	}
	body, err := backbone.New(c.Backbone, backbone.Options{Width: c.BackboneWidth, StrideIn1x1: c.StrideIn1x1, Slope: float32(c.LeakySlope),
		Norm: norm, FrozenStages: c.FrozenStages, Prefix: BackbonePrefix})
	if err != nil {
		return nil, fmt.Errorf("detector: %w", err)
	}
	act, err := engine.ParseActivation(cmp.Or(c.HeadActivation, "relu"))
	if err != nil {
		return nil, fmt.Errorf("detector: heads: %w", err)
	}
	m := &Model{
		engine:   e,
		backbone: body,
		pyramid: fpn.Pyramid{Width: c.FPNWidth, P2: c.P2, Path: c.Pyramid == "pafpn", P6FromP5: c.P6From == "p5", PlainP7: !c.P7ReLU,
			Prefix: pyramidPrefix},
		head: head.Head{Width: c.FPNWidth, Depth: c.HeadDepth, Anchors: c.Anchors.PerCell(), Classes: len(c.Classes),
			Background: c.Background, GroupNorm: c.HeadNorm == "group", Activation: act, Prior: c.Prior, Prefix: headPrefix},
		anchors: c.Anchors,
		params:  params,
		folded:  nn.NewFolded(e),
		arena:   nn.NewArena(e),
		nets:    cache[*Net]{most: netGraphs},
	}
	// Building any graph declares all parameters.
	b := m.builder(nn.Training)
	x, err := e.New(tensor.Float32, 1, 128, 128, 3)
	if err != nil {
		return nil, fmt.Errorf("detector: %w", err)
	}
	m.network(b, b.Input("images", x))
	e.Release(x)
	if b.Err() != nil {
		return nil, errors.Join(fmt.Errorf("detector: %w", b.Err()), m.Close())
	}
	return m, nil
}

// Engine returns the engine that holds the model and computes it.
func (m *Model) Engine() engine.Engine { return m.engine }

// Classes is the number of classes, without background.
func (m *Model) Classes() int { return m.head.Classes }

// Params returns the parameters and running statistics, in the network's order. Call Changed after writing to one.
func (m *Model) Params() []*nn.Param { return m.params.All() }

// Param returns the parameter of that name, nil if there is none.
func (m *Model) Param(name string) *nn.Param { return m.params.Get(name) }

// Changed must be called after parameters were written.
func (m *Model) Changed() {
	m.stale = true
	m.engine.WeightsChanged()
}

// Forget frees the graphs and their memory; they are built again when they are needed.
func (m *Model) Forget() error {
	if err := m.steps.clear(); err != nil {
		return err
	}
	return m.ForgetNets()
}

// ForgetNets frees only the inference graphs, each of which holds the input images of its canvas.
func (m *Model) ForgetNets() error { return m.nets.clear() }

// Close frees the memory of graphs, of parameters and of the copies derived from them. Call it before the engine's Close; a second
// call does nothing.
func (m *Model) Close() error {
	if err := m.Forget(); err != nil {
		return err
	}
	if m.int8 != nil {
		m.int8.Close()
	}
	m.folded.Release()
	m.params.Release()
	return nil
}

// Anchors returns the anchors of a canvas of h x w pixels, level by level, and the index of the first anchor of each level, followed by
// the number of anchors.
func (m *Model) Anchors(h, w int) ([]box.Box, []int) {
	return m.grids.get(m.anchors, h, w, m.cells(h, w))
}

// AnchorCount returns the number of anchors of a canvas.
func (m *Model) AnchorCount(h, w int) int {
	n := 0
	for _, c := range m.cells(h, w) {
		n += c[0] * c[1] * m.anchors.PerCell()
	}
	return n
}

// Levels returns the number of levels of the pyramid.
func (m *Model) Levels() int { return len(m.pyramid.Strides()) }

// cells returns the cells of each level on a canvas.
func (m *Model) cells(h, w int) [][2]int { return m.anchors.Cells(h, w) }

func (m *Model) builder(mode nn.Mode) *nn.Builder {
	return nn.NewBuilder(m.engine, mode, m.params, m.folded)
}

// network adds all operations from the input images to the outputs of the heads. It returns these outputs and the inputs of the heads,
// level by level; the builder keeps errors.
func (m *Model) network(b *nn.Builder, x *G.Node) (levels, logits, deltas []*G.Node) {
	c := m.backbone.Build(b, b.Narrow(x))
	levels = m.pyramid.Build(b, c, m.backbone.Channels())
	// The logits are the largest results. They are computed last, so that the backward pass frees them first.
	deltas = m.head.Box(b, levels)
	return levels, m.head.Class(b, levels), deltas
}

// refresh computes folded weights again if parameters were written.
func (m *Model) refresh() error {
	if !m.stale {
		return nil
	}
	m.stale = false
	return m.folded.Update()
}

// PackedBytes returns an upper bound of the memory of the engine's packed copies of convolution weights, in bytes: one copy of all, in
// training a second one for the backward pass; and 3x3 filters as 6x6 Winograd filters, in training of one convolution
// at a time. PackedFor returns a closer bound for an inference graph on the host.
func (m *Model) PackedBytes(training bool) int64 {
	var n, largest int64
	for _, p := range m.Params() {
		if p.Kind != nn.Weight {
			continue
		}
		size := 4 * int64(p.Size())
		if p.Shape[2] == 3 {
			largest = max(largest, 4*size)
			if !training {
				size *= 4
			}
		}
		n += size
		if training && p.Trainable {
			n += size
		}
	}
	if training {
		n += largest
	}
	return n
}
