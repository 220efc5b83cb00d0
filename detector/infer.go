package detector

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/model/quant"
	"retinago/nn"
)

// Net is the inference graph of one canvas: images in, raw outputs of the heads out.
type Net struct {
	shape          shape
	machine        machine
	images         *tensor.Dense
	input          *G.Node
	logits, deltas []*G.Node // per level
	sizes          []int     // per level, the anchors of all images
	classes        int
	host           Raw         // of Run
	softmax        [][]float32 // per level, the logits of a head with background; nil without
	inputs         *inputs
	engine         engine.Engine
	preparing      engine.Preparer       // the engine, if it draws canvases
	prepared       bool                  // it has, and the network has not seen them
	detecting      engine.DetectionMaker // the engine, if it makes detections of these outputs
	anchors        *tensor.Dense         // [anchors of all levels, 4], where it does
}

// machine runs a graph: nn.Machine, or quant.Net for an int8 model.
type machine interface {
	Run() error
	Value(n *G.Node) *tensor.Dense
	Layers() []nn.Layer
	Observe(f func(layer int, d time.Duration))
	Bytes() int64
	Close() error
}

// Raw are the outputs of the heads.
type Raw struct {
	N       int
	Classes int
	Logits  [][]float32 // per level [N, anchors of the level, K], log p/(1-p)
	Deltas  [][]float32 // per level [N, anchors of the level, 4]
}

// Net returns the inference graph for n canvases of h x w pixels, built at the first call.
func (m *Model) Net(n, h, w int) (*Net, error) {
	if err := m.refresh(); err != nil {
		return nil, err
	}
	t, err := m.nets.get(shape{n, h, w}, func() (*Net, error) {
		t, outputs, err := m.inferGraph(shape{n, h, w})
		if err != nil {
			return nil, err
		}
		before := m.arena.Bytes()
		if m.scheme == nil {
			t.machine, err = nn.NewMachine(m.arena, outputs)
		} else {
			var g quant.Graph
			if g, err = t.graph(); err == nil {
				t.machine, err = newInt8Machine(m, g)
			}
		}
		if err != nil {
			t.inputs.release()
			return nil, err
		}
		t.preparing, _ = engine.As[engine.Preparer](m.engine, engine.Preparation{})
		if err := errors.Join(m.fits(t, before), m.detects(t)); err != nil {
			return nil, errors.Join(err, t.Close())
		}
		t.classes = m.head.Classes
		for l := range t.logits {
			size := t.logits[l].Shape().TotalSize()
			if m.head.Background {
				t.softmax = append(t.softmax, make([]float32, size))
			}
			t.sizes = append(t.sizes, size/m.head.Logits())
		}
		return t, nil
	})
	if err != nil {
		return nil, m.largestBatch(err, n, h, w)
	}
	return t, nil
}

// InferPlan plans the inference graph of n canvases without making it.
func (m *Model) InferPlan(n, h, w int) (*nn.Plan, error) {
	t, outputs, err := m.inferGraph(shape{n, h, w})
	if err != nil {
		return nil, err
	}
	defer t.inputs.release()
	return nn.NewPlan(m.engine, outputs)
}

// Graph is a description of an inference graph, with the numbers of its values. Maps are [N,h,w,C].
type Graph struct {
	*nn.Graph
	Images         int      // [N,H,W,3]
	Logits, Deltas []int    // per level, [N,h,w,A*K] and [N,h,w,A*4]
	Cells          [][2]int // per level, h and w
}

// InferGraph calls f with the inference graph of n canvases of h x w pixels, which ends with the call.
func (m *Model) InferGraph(n, h, w int, f func(Graph) error) error {
	if err := m.refresh(); err != nil {
		return err
	}
	t, outputs, err := m.inferGraph(shape{n, h, w})
	if err != nil {
		return err
	}
	defer t.inputs.release()
	p, err := nn.NewPlan(m.engine, outputs)
	if err != nil {
		return err
	}
	g := p.Graph()
	return f(Graph{Graph: g, Images: g.Numbers(t.input)[0], Logits: g.Numbers(t.logits...), Deltas: g.Numbers(t.deltas...), Cells: m.cells(h, w)})
}

func (m *Model) inferGraph(k shape) (*Net, G.Nodes, error) {
	if err := k.check(); err != nil {
		return nil, nil, err
	}
	t := &Net{shape: k, engine: m.engine, inputs: &inputs{e: m.engine}}
	t.images = t.inputs.tensor(tensor.Float32, k.n, k.h, k.w, 3)
	b := m.builder(nn.Inference)
	err := t.inputs.err
	if err == nil {
		t.input = b.Input("images", t.images)
		_, t.logits, t.deltas = m.network(b, t.input)
		err = b.Err()
	}
	if err != nil {
		t.inputs.release()
		return nil, nil, fmt.Errorf("detector: inference graph of %d canvases of %dx%d: %w", k.n, k.h, k.w, err)
	}
	var outputs G.Nodes
	for l := range t.logits {
		outputs = append(outputs, t.logits[l], t.deltas[l])
	}
	return t, outputs, nil
}

// Run computes the heads' outputs of images [N,H,W,3]. They belong to the Net and hold until its next Run.
func (t *Net) Run(images []float32) (*Raw, error) {
	if err := t.run(images); err != nil {
		return nil, err
	}
	r := &t.host
	r.N, r.Classes = t.shape.n, t.classes
	r.Logits, r.Deltas = grown(r.Logits, len(t.logits)), grown(r.Deltas, len(t.logits))
	for l := range t.logits {
		r.Logits[l], r.Deltas[l] = grown(r.Logits[l], t.sizes[l]*t.classes), grown(r.Deltas[l], t.sizes[l]*4)
		logits := r.Logits[l]
		if t.softmax != nil {
			logits = t.softmax[l]
		}
		if err := t.engine.Download(logits, t.machine.Value(t.logits[l])); err != nil {
			return nil, err
		}
		if t.softmax != nil {
			oneAgainstRest(r.Logits[l], logits, t.classes)
		}
		if err := t.engine.Download(r.Deltas[l], t.machine.Value(t.deltas[l])); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Look is Run without copies where the host can do without: what it returns then holds until the next run of any graph of the model.
func (t *Net) Look(images []float32) (*Raw, error) {
	near, ok := engine.As[engine.HostMemory](t.engine, engine.HostReadable)
	if !ok || t.softmax != nil {
		return t.Run(images)
	}
	if err := t.run(images); err != nil {
		return nil, err
	}
	r := &Raw{N: t.shape.n, Classes: t.classes}
	for l := range t.logits {
		r.Logits = append(r.Logits, near.Floats(t.machine.Value(t.logits[l])))
		r.Deltas = append(r.Deltas, near.Floats(t.machine.Value(t.deltas[l])))
	}
	return r, nil
}

// Prepares reports whether the engine draws canvases.
func (t *Net) Prepares() bool { return t.preparing != nil }

// Prepare draws the canvases of the next run, whose images are nil then, on an engine that Prepares.
func (t *Net) Prepare(canvases []engine.Canvas) error {
	if err := t.preparing.Prepare(t.images, canvases); err != nil {
		return fmt.Errorf("detector: images: %w", err)
	}
	t.prepared = true
	return nil
}

// run sends images, if they are not prepared, and computes.
func (t *Net) run(images []float32) error {
	if t.prepared && images == nil {
		t.prepared = false
		return t.machine.Run()
	}
	if err := t.engine.Upload(t.images, images); err != nil {
		return fmt.Errorf("detector: images: %w", err)
	}
	return t.machine.Run()
}

// grown is s with n elements, in its own memory where that is enough.
func grown[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// oneAgainstRest turns rows of k+1 logits of a softmax into the k logits log p/(1-p) of its classes: x minus the logarithm of the
// other exponentials' sum.
func oneAgainstRest(out, in []float32, k int) {
	e := make([]float64, k+1)
	for ; len(in) > 0; in, out = in[k+1:], out[k:] {
		row := in[:k+1]
		most := slices.Max(row)
		sum := 0.0
		for j, v := range row {
			e[j] = math.Exp(float64(v - most))
			sum += e[j]
		}
		for c, v := range row[:k] {
			if e[c] <= sum/2 {
				out[c] = v - most - float32(math.Log(sum-e[c]))
				continue
			}
			// The difference would lose digits; at most one class comes here.
			second := slices.Max(row[c+1:])
			for _, w := range row[:c] {
				second = max(second, w)
			}
			others := 0.0
			for j, w := range row {
				if j != c {
					others += math.Exp(float64(w - second))
				}
			}
			out[c] = v - second - float32(math.Log(others))
		}
	}
}

// Layers lists the operations of a Run.
func (t *Net) Layers() []nn.Layer { return t.machine.Layers() }

// Observe makes every Run call f after each operation, with its index in Layers; nil ends it.
func (t *Net) Observe(f func(layer int, d time.Duration)) { t.machine.Observe(f) }

// Async reports whether observed runs take longer than others: every operation is waited for.
func (t *Net) Async() bool { return t.engine.Supports(engine.Async) }

// Bytes is the memory of activations.
func (t *Net) Bytes() int64 { return t.machine.Bytes() }

// Close frees the graph's memory.
func (t *Net) Close() error {
	err := t.machine.Close()
	t.inputs.release()
	return err
}
