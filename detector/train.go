package detector

import (
	"errors"
	"fmt"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/engine"
	"retinago/loss"
	"retinago/nn"
	"retinago/nn/lossnode"
)

// LossFunc holds the losses of a training graph. Each runs on the engine where that has it, else on the host.
type LossFunc struct {
	Class   loss.Class
	Quality loss.QualityLoss // instead of Class
	Box     loss.Box         // of deltas where it is a loss.Delta, else of boxes
	// MineNMS is the IoU with a harder anchor above which loss.OHEM excludes an anchor; 0 never does.
	MineNMS float32
}

// TrainSpec says how a training graph is made.
type TrainSpec struct {
	LossFunc
	// RecomputeHeads computes what lies between the pyramid and the heads' outputs again in the backward pass, a head at a
	// time, instead of keeping it: the same numbers in less memory and more time.
	RecomputeHeads bool
	// Seed [1] is what gradients begin with, and are multiples of; nil is 1.
	Seed *tensor.Dense
}

// overLevels reports whether the class loss is a node of all levels.
func (f LossFunc) overLevels() bool {
	_, byLevel := f.Class.(loss.Binary)
	return f.Quality != nil || !byLevel
}

// deltas returns the box loss where it is one of deltas.
func (f LossFunc) deltas() (l loss.Delta, ok bool) {
	l, ok = f.Box.(loss.Delta)
	return l, ok
}

// LossBytes is the memory that losses take besides the graph's, for n canvases of h x w pixels: the host's where they run there, else
// the engine's.
func (m *Model) LossBytes(n, h, w int, f LossFunc) int64 {
	anchors := m.AnchorCount(h, w)
	rows, perRow, bytes := int64(n*anchors), int64(0), int64(0)
	placed := int64(16 * anchors)
	// Logits and gradients in the order of images and of levels, labels twice, losses and their order.
	onHost := int64(4*4*m.head.Logits()) + 24
	if !f.overLevels() {
		if !lossnode.BinaryOnEngine(m.engine, f.Class.(loss.Binary)) {
			perRow += onHost
		}
	} else {
		_, mines := f.Class.(loss.OHEM)
		switch all := (lossnode.Class{Loss: f.Class, Quality: f.Quality, NMS: f.MineNMS}); {
		case !all.OnEngine(m.engine):
			perRow += onHost
		case f.Quality != nil:
			bytes += placed
		case mines:
			bytes += placed
			perRow += 4 // keys
		}
	}
	l, ofDeltas := f.deltas()
	switch onEngine := (lossnode.Boxes{Loss: f.Box}).OnEngine(m.engine); {
	case ofDeltas && lossnode.DeltasOnEngine(m.engine, l):
	case onEngine && !ofDeltas:
		bytes += placed
	default:
		perRow += 4*4*3 + 4
	}
	return rows*perRow + bytes
}

// Batch is what one training step reads.
type Batch struct {
	N, H, W   int
	Images    []float32 // [N,H,W,3], normalised; nil after Prepare
	Targets   *Targets
	ClassNorm []float32              // [N] factors on the class loss of each image
	BoxNorm   []float32              // [N] factors on the box loss
	Norm      engine.NormalizeParams // makes both where the engine matches anchors
}

// Losses are the two parts of a step's loss.
type Losses struct{ Class, Box float64 }

// Total is what the gradient was taken of.
func (l Losses) Total() float64 { return l.Class + l.Box }

// TrainStep is the training graph of one canvas: a forward pass, the losses and all gradients.
type TrainStep struct {
	shape     shape
	machine   *nn.Machine
	images    *tensor.Dense
	labels    []*tensor.Dense // per level, as all that follow
	targets   []*tensor.Dense
	classNorm *tensor.Dense
	boxNorm   *tensor.Dense
	class     []*G.Node // per level, or one for all
	box       []*G.Node
	params    []*nn.Param
	grads     G.Nodes
	inputs    *inputs
	engine    engine.Engine
	assign    assign
	prepared  bool // images are on the canvases
	host      bool // the host computes losses or a part of the network
	observed  bool
	repeated  repeated
}

// TrainStep returns the training graph for n canvases of h x w pixels, built at the first call.
func (m *Model) TrainStep(n, h, w int, spec TrainSpec) (*TrainStep, error) {
	if err := m.refresh(); err != nil {
		return nil, err
	}
	return m.steps.get(shape{n, h, w}, func() (*TrainStep, error) {
		s, outputs, err := m.trainGraph(shape{n, h, w}, spec)
		if err != nil {
			return nil, err
		}
		if s.machine, err = nn.NewMachine(m.arena, outputs); err != nil {
			s.inputs.release()
			return nil, err
		}
		if err := m.assigns(s); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	})
}

// TrainPlan plans the training graph of n canvases without making it.
func (m *Model) TrainPlan(n, h, w int, spec TrainSpec) (*nn.Plan, error) {
	s, outputs, err := m.trainGraph(shape{n, h, w}, spec)
	if err != nil {
		return nil, err
	}
	defer s.inputs.release()
	return nn.NewPlan(m.engine, outputs)
}

// trainGraph builds the graph and returns it with everything that must be read after a run.
func (m *Model) trainGraph(k shape, spec TrainSpec) (*TrainStep, G.Nodes, error) {
	if err := k.check(); err != nil {
		return nil, nil, err
	}
	s := &TrainStep{shape: k, engine: m.engine, inputs: &inputs{e: m.engine}}
	outputs, err := s.build(m, spec)
	if err != nil {
		s.inputs.release()
		return nil, nil, fmt.Errorf("detector: training graph of %d canvases of %dx%d: %w", k.n, k.h, k.w, err)
	}
	return s, outputs, nil
}

func (s *TrainStep) build(m *Model, spec TrainSpec) (G.Nodes, error) {
	in, n := s.inputs, s.shape.n
	s.images = in.tensor(tensor.Float32, n, s.shape.h, s.shape.w, 3)
	s.classNorm = in.tensor(tensor.Float32, n)
	s.boxNorm = in.tensor(tensor.Float32, n)
	begin := spec.Seed
	if begin == nil {
		begin = in.tensor(tensor.Float32, 1)
	}
	for _, hw := range m.cells(s.shape.h, s.shape.w) {
		a := hw[0] * hw[1] * m.head.Anchors
		s.labels = append(s.labels, in.tensor(tensor.Int32, n, a))
		s.targets = append(s.targets, in.tensor(tensor.Float32, n, a, 4))
	}
	if in.err != nil {
		return nil, in.err
	}
	if spec.Seed == nil {
		if err := m.engine.Upload(begin, []float32{1}); err != nil {
			return nil, err
		}
	}

	b := m.builder(nn.Training)
	levels, logits, deltas := m.network(b, b.Input("images", s.images))
	if b.Err() != nil {
		return nil, b.Err()
	}
	if spec.RecomputeHeads {
		if err := errors.Join(nn.Recompute(levels, logits), nn.Recompute(levels, deltas)); err != nil {
			return nil, err
		}
	}
	classNorm, boxNorm, seed := b.Input("class_norm", s.classNorm), b.Input("box_norm", s.boxNorm), b.Input("seed", begin)
	var labels, targets G.Nodes
	for l := range s.labels {
		labels = append(labels, b.Input(fmt.Sprint("labels", l), s.labels[l]))
		targets = append(targets, b.Input(fmt.Sprint("targets", l), s.targets[l]))
	}
	overLevels := spec.overLevels()
	var grid []box.Box
	var starts []int
	deltaLoss, ofDeltas := spec.deltas()
	if overLevels || !ofDeltas {
		grid, starts = m.Anchors(s.shape.h, s.shape.w)
	}
	if overLevels {
		all := lossnode.Class{Loss: spec.Class, Quality: spec.Quality, Anchors: grid, NMS: spec.MineNMS}
		s.class = append(s.class, b.Check(all.Node(logits, labels, deltas, targets, classNorm)))
		s.host = !all.OnEngine(m.engine)
	}
	for l := range s.labels {
		if !overLevels {
			binary := spec.Class.(loss.Binary)
			s.host = s.host || !lossnode.BinaryOnEngine(m.engine, binary)
			s.class = append(s.class, b.Check(lossnode.Binary(binary, logits[l], labels[l], classNorm)))
		}
		if ofDeltas {
			s.host = s.host || !lossnode.DeltasOnEngine(m.engine, deltaLoss)
			s.box = append(s.box, b.Check(lossnode.Deltas(deltaLoss, deltas[l], targets[l], labels[l], boxNorm)))
			continue
		}
		o := lossnode.Boxes{Loss: spec.Box, Anchors: grid[starts[l]:starts[l+1]]}
		s.host = s.host || !o.OnEngine(m.engine)
		s.box = append(s.box, b.Check(o.Node(deltas[l], targets[l], labels[l], boxNorm)))
	}
	if b.Err() != nil {
		return nil, b.Err()
	}
	s.host = s.host || b.OnHost()
	losses := append(append(G.Nodes{}, s.class...), s.box...)
	var seeds G.Nodes
	for range losses {
		seeds = append(seeds, seed)
	}
	nodes, params := b.Nodes()
	if len(nodes) == 0 {
		return nil, fmt.Errorf("every parameter is frozen, there is nothing to train")
	}
	grads, err := G.Backpropagate(losses, seeds, nodes)
	if err != nil {
		return nil, fmt.Errorf("differentiating: %w", err)
	}
	s.params, s.grads = params, grads
	return append(append(G.Nodes{}, losses...), grads...), nil
}

// Run computes the losses of a batch and every gradient.
func (s *TrainStep) Run(b *Batch) (Losses, error) {
	if err := s.Send(b); err != nil {
		return Losses{}, err
	}
	if err := s.Compute(); err != nil {
		return Losses{}, err
	}
	var out Losses
	var err error
	if out.Class, err = s.sum(s.class); err != nil {
		return out, err
	}
	out.Box, err = s.sum(s.box)
	return out, err
}

// Prepare draws the canvases of the next batch, whose Images are nil then, on an engine that Supports a Preparation.
func (s *TrainStep) Prepare(canvases []engine.Canvas) error {
	e, ok := engine.As[engine.Preparer](s.engine, engine.Preparation{})
	if !ok {
		return fmt.Errorf("detector: images: the engine %s prepares none", s.engine.Name())
	}
	if err := e.Prepare(s.images, canvases); err != nil {
		return fmt.Errorf("detector: images: %w", err)
	}
	s.prepared = true
	return nil
}

// Send copies a batch to the graph.
func (s *TrainStep) Send(b *Batch) error {
	if (shape{b.N, b.H, b.W}) != s.shape {
		return fmt.Errorf("detector: a batch of %dx%dx%d on a graph of %dx%dx%d", b.N, b.H, b.W, s.shape.n, s.shape.h, s.shape.w)
	}
	up := uploads{e: s.engine}
	if !s.prepared || b.Images != nil {
		up.to(s.images, b.Images)
	}
	s.prepared = false
	if up.err = s.send(&up, b); up.err != nil {
		return fmt.Errorf("detector: batch: %w", up.err)
	}
	return nil
}

// Compute computes the losses of the batch that was sent, and every gradient.
func (s *TrainStep) Compute() error { return s.machine.Run() }

// LossValues are the tensors [1] that add up to the class and to the box loss of the last Compute.
func (s *TrainStep) LossValues() (class, box []*tensor.Dense) { return values(s.class), values(s.box) }

func values(nodes []*G.Node) []*tensor.Dense {
	all := make([]*tensor.Dense, len(nodes))
	for i, n := range nodes {
		all[i] = n.Value().(*tensor.Dense)
	}
	return all
}

// sum adds up loss nodes.
func (s *TrainStep) sum(nodes []*G.Node) (total float64, err error) {
	var v [1]float32
	for _, t := range values(nodes) {
		if err := s.engine.Download(v[:], t); err != nil {
			return 0, err
		}
		total += float64(v[0])
	}
	return total, nil
}

// Gradients calls f with each trainable parameter and its gradient of the last Run, in a fixed order.
func (s *TrainStep) Gradients(f func(p *nn.Param, g *tensor.Dense) error) error {
	for i, p := range s.params {
		if err := f(p, s.grads[i].Value().(*tensor.Dense)); err != nil {
			return err
		}
	}
	return nil
}

// Layers lists the operations of a Run.
func (s *TrainStep) Layers() []nn.Layer { return s.machine.Layers() }

// Observe makes every Run call f after each operation, with its index in Layers; nil ends it.
func (s *TrainStep) Observe(f func(layer int, d time.Duration)) {
	s.observed = f != nil
	s.machine.Observe(f)
}

// Async reports that observed runs take longer than others: every operation is waited for.
func (s *TrainStep) Async() bool { return s.engine.Supports(engine.Async) }

// Bytes is the memory of activations and gradients.
func (s *TrainStep) Bytes() int64 { return s.machine.Bytes() }

// Close frees the graph's memory.
func (s *TrainStep) Close() error {
	err := errors.Join(s.repeated.close(), s.machine.Close())
	s.inputs.release()
	return err
}

// inputs makes the tensors that carry data into a graph; the first error sticks.
type inputs struct {
	e    engine.Engine
	made []*tensor.Dense
	err  error
}

func (in *inputs) tensor(dt tensor.Dtype, dims ...int) *tensor.Dense {
	if in.err != nil {
		return nil
	}
	t, err := in.e.New(dt, dims...)
	if err != nil {
		in.err = err
		return nil
	}
	in.made = append(in.made, t)
	return t
}

func (in *inputs) release() {
	in.e.Release(in.made...)
	in.made = nil
}

// uploads copies slices to tensors; the first error sticks.
type uploads struct {
	e   engine.Engine
	err error
}

func (u *uploads) to(dst *tensor.Dense, src any) {
	if u.err == nil {
		u.err = u.e.Upload(dst, src)
	}
}
