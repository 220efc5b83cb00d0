package detector

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
	"retinago/internal/model/quant"
	"retinago/internal/model/weights"
	"retinago/nn"
)

// An int8 checkpoint is a checkpoint whose int8 convolutions' weights are I8, with a scale per output channel under
// their name and scaleSuffix; int8Key in the metadata holds the ranges of the activations.
const (
	int8Key     = "retinago.int8"
	scaleSuffix = "_scale"
)

// int8Meta is the JSON under int8Key.
type int8Meta struct {
	Method string                 `json:"method"`
	Images int                    `json:"images"`
	Ranges map[string]quant.Range `json:"ranges"`
}

// Int8 is how the model computes in 8 bits, nil if it does not.
func (m *Model) Int8() *quant.Scheme { return m.scheme }

// Quantize makes the model compute in 8 bits. Its weights become what the scheme's s8 stand for; writing to them afterwards
// does not reach the 8-bit copies.
func (m *Model) Quantize(s *quant.Scheme) error {
	if m.scheme != nil {
		return errors.New("detector: the model is int8 already")
	}
	if !m.engine.Supports(engine.EightBit) {
		return fmt.Errorf("detector: the engine %s does not compute in 8 bits", m.engine.Name())
	}
	if err := s.Check(); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(s.Weights)) {
		p := m.Param(n + ".weight")
		if p == nil || len(p.Shape) != 4 || p.Shape[0] != len(s.Weights[n]) {
			return fmt.Errorf("detector: a scheme with %d channels of %s is of another network", len(s.Weights[n]), n)
		}
		w := make([]float32, p.Size())
		if err := m.engine.Download(w, p.Value); err != nil {
			return err
		}
		if err := m.engine.Upload(p.Value, quant.Values(quant.Round(w, s.Weights[n]), s.Weights[n])); err != nil {
			return err
		}
	}
	m.Changed()
	// The graphs so far are float.
	if err := m.nets.clear(); err != nil {
		return err
	}
	m.scheme, m.int8 = s, quant.NewWeights(m.engine, s)
	return nil
}

// Calibrator finds a scheme for a float model.
type Calibrator struct {
	model *Model
	found *quant.Calibration
	nets  cache[*observed]
}

// observed is a float network whose activations can be seen.
type observed struct {
	*quant.Net
	images *tensor.Dense
	inputs *inputs
}

func (o *observed) Close() error {
	err := o.Net.Close()
	o.inputs.release()
	return err
}

// Calibrator begins a calibration. Close it.
func (m *Model) Calibrator(o quant.Options) (*Calibrator, error) {
	if m.scheme != nil {
		return nil, errors.New("detector: the model is int8 already: calibrate the float checkpoint that it was made of")
	}
	c, err := quant.NewCalibration(o)
	if err != nil {
		return nil, err
	}
	return &Calibrator{model: m, found: c}, nil
}

// Add runs an image's canvas [1,h,w,3].
func (c *Calibrator) Add(images []float32, h, w int) error {
	m := c.model
	if err := m.refresh(); err != nil {
		return err
	}
	n, err := c.nets.get(shape{1, h, w}, func() (*observed, error) {
		t, _, err := m.inferGraph(shape{1, h, w})
		if err != nil {
			return nil, err
		}
		g, err := t.graph()
		if err == nil {
			var n *quant.Net
			if n, err = quant.NewNet(m.engine, m.arena, g, nil); err == nil {
				return &observed{n, t.images, t.inputs}, nil
			}
		}
		t.inputs.release()
		return nil, err
	})
	if err != nil {
		return err
	}
	if err := m.engine.Upload(n.images, images); err != nil {
		return err
	}
	return c.found.Add(n.Net, 1)
}

// Scheme is what the images so far give.
func (c *Calibrator) Scheme() (s *quant.Scheme, err error) {
	err = c.model.nominal(func(g quant.Graph) error {
		s, err = c.found.Scheme(c.model.engine, g)
		return err
	})
	return s, err
}

// Close frees the networks.
func (c *Calibrator) Close() error { return c.nets.clear() }

// Convolutions lists the network's convolutions by the names that schemes have for them.
func (m *Model) Convolutions() (names []string, err error) {
	err = m.nominal(func(g quant.Graph) error {
		names, err = g.Convolutions()
		return err
	})
	return names, err
}

// nominal calls f with the graph of some canvas: names and parameters are those of every canvas.
func (m *Model) nominal(f func(quant.Graph) error) error {
	const px = 128
	t, _, err := m.inferGraph(shape{1, px, px})
	if err != nil {
		return err
	}
	defer t.inputs.release()
	g, err := t.graph()
	if err != nil {
		return err
	}
	return f(g)
}

// graph describes an inference graph for package quant.
func (t *Net) graph() (quant.Graph, error) {
	var heads G.Nodes
	for l := range t.logits {
		heads = append(heads, t.logits[l], t.deltas[l])
	}
	p, err := nn.NewPlan(t.engine, heads)
	if err != nil {
		return quant.Graph{}, err
	}
	g := quant.Graph{Graph: p.Graph()}
	g.Images = g.Numbers(t.input)[0]
	for h := range slices.Chunk(g.Numbers(heads...), 2) {
		g.Heads = append(g.Heads, h)
	}
	return g, nil
}

// int8Machine is a quant.Net that knows its values by their nodes.
type int8Machine struct {
	*quant.Net
	graph quant.Graph
}

func newInt8Machine(m *Model, g quant.Graph) (int8Machine, error) {
	n, err := quant.NewNet(m.engine, m.arena, g, m.int8)
	return int8Machine{n, g}, err
}

func (m int8Machine) Value(n *G.Node) *tensor.Dense { return m.Net.Value(m.graph.Numbers(n)[0]) }

// readScheme reads how a checkpoint computes in 8 bits, nil where it is float.
func readScheme(f *weights.File, path string) (*quant.Scheme, error) {
	js, ok := f.Metadata[int8Key]
	if !ok {
		return nil, nil
	}
	if len(js) > maxMeta {
		return nil, fmt.Errorf("%s: metadata %s has %d bytes; at most %d are read", path, int8Key, len(js), maxMeta)
	}
	var mt int8Meta
	if err := json.Unmarshal([]byte(js), &mt); err != nil {
		return nil, fmt.Errorf("%s: metadata %s: %w", path, int8Key, err)
	}
	s := &quant.Scheme{Weights: map[string][]float32{}, Ranges: mt.Ranges, Method: mt.Method, Images: mt.Images}
	for _, n := range f.Names() {
		if dtype, _, _ := f.Info(n); dtype != "I8" {
			continue
		}
		scales, err := f.Tensor(n + scaleSuffix)
		if err != nil {
			return nil, err
		}
		s.Weights[strings.TrimSuffix(n, ".weight")] = scales.Data
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// int8File gives the tensors of an int8 checkpoint as float32.
type int8File struct {
	*weights.File
	scheme *quant.Scheme
}

// Names are those of the model's parameters.
func (f int8File) Names() []string {
	return slices.DeleteFunc(f.File.Names(), func(n string) bool {
		conv, ok := strings.CutSuffix(n, ".weight"+scaleSuffix)
		return ok && f.scheme.Weights[conv] != nil
	})
}

// Tensor is what a tensor stands for.
func (f int8File) Tensor(name string) (weights.Tensor, error) {
	scales := f.scheme.Weights[strings.TrimSuffix(name, ".weight")]
	if scales == nil {
		return f.File.Tensor(name)
	}
	q, err := f.File.Int8(name)
	if err != nil {
		return weights.Tensor{}, err
	}
	_, shape, _ := f.Info(name)
	if len(shape) == 0 || shape[0] != len(scales) || len(q)%len(scales) != 0 {
		return weights.Tensor{}, fmt.Errorf("tensor %s of shape %v has %d scales", name, shape, len(scales))
	}
	return weights.Tensor{Name: name, Shape: shape, Data: quant.Values(q, scales)}, nil
}

// tensors is how the parameters are stored: specs, and what reads them.
func (m *Model) tensors() ([]weights.Spec, func(i int, dst []float32) error) {
	var specs []weights.Spec
	var read []func(dst []float32) error
	for _, p := range m.Params() {
		value := func(dst []float32) error { return m.engine.Download(dst, p.Value) }
		var scales []float32
		if m.scheme != nil {
			scales = m.scheme.Weights[strings.TrimSuffix(p.Name, ".weight")]
		}
		if scales == nil || p.Kind != nn.Weight {
			specs, read = append(specs, weights.Spec{Name: p.Name, Shape: p.Shape}), append(read, value)
			continue
		}
		specs = append(specs, weights.Spec{Name: p.Name, Shape: p.Shape, Int8: true}, weights.Spec{Name: p.Name + scaleSuffix, Shape: p.Shape[:1]})
		read = append(read, func(dst []float32) error {
			if err := value(dst); err != nil {
				return err
			}
			for i, q := range quant.Round(dst, scales) {
				dst[i] = float32(q)
			}
			return nil
		}, func(dst []float32) error {
			copy(dst, scales)
			return nil
		})
	}
	return specs, func(i int, dst []float32) error { return read[i](dst) }
}
