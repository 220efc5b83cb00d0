package quant

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// Options say how a scheme is found.
type Options struct {
	Method Method
	// Float names convolutions that stay float: First, Last, or the beginning of a name up to a dot.
	Float []string
}

// Convolutions that Options.Float knows by their place.
const (
	First = "first" // those that read the images
	Last  = "last"  // those that give the heads' outputs
)

// maxProducts of a sum surely fit int32: |w| is at most 127, q at most 255, and the zero point's share is as much again.
const maxProducts = math.MaxInt32 / (2 * levels * 255)

// Calibration gathers what a scheme is made of.
type Calibration struct {
	options Options
	images  int
	seen    map[string]*Histogram
}

// NewCalibration begins one.
func NewCalibration(o Options) (*Calibration, error) {
	if err := o.Method.Check(); err != nil {
		return nil, err
	}
	return &Calibration{options: o, seen: map[string]*Histogram{}}, nil
}

// Add counts the activations of a float network's run on so many images.
func (c *Calibration) Add(n *Net, images int) error {
	var host []float32
	err := n.Show(func(name string, t *tensor.Dense) error {
		if size := t.Shape().TotalSize(); cap(host) < size {
			host = make([]float32, size)
		} else {
			host = host[:size]
		}
		if err := n.engine.Download(host, t); err != nil {
			return err
		}
		return c.count(name, host)
	})
	if err == nil {
		c.images += images
	}
	return err
}

func (c *Calibration) count(name string, v []float32) error {
	h := c.seen[name]
	if h == nil {
		h = &Histogram{}
		c.seen[name] = h
	}
	if err := h.Add(v); err != nil {
		return fmt.Errorf("quant: the activations of %s: %w", name, err)
	}
	return nil
}

// Scheme finds ranges and scales for the graph that was seen.
func (c *Calibration) Scheme(e engine.Engine, g Graph) (*Scheme, error) {
	if c.images == 0 {
		return nil, fmt.Errorf("quant: no images were seen")
	}
	ops, err := g.operations()
	if err != nil {
		return nil, err
	}
	s := &Scheme{Weights: map[string][]float32{}, Ranges: map[string]Range{}, Method: c.options.Method.String(), Images: c.images}
	used := map[string]bool{}
	var names []string
	for name, h := range c.seen {
		s.Ranges[name] = c.options.Method.Range(h)
	}
	for _, o := range ops {
		if o.form.Conv == nil {
			continue
		}
		names = append(names, o.conv)
		if c.float(g, o, used) || s.Weights[o.conv] != nil {
			continue
		}
		p, err := g.parameters(o)
		if err != nil {
			return nil, err
		}
		shape := p.weights.Shape()
		w := make([]float32, shape.TotalSize())
		if len(w)/shape[0] > maxProducts {
			continue
		}
		if err := e.Download(w, p.weights); err != nil {
			return nil, err
		}
		s.Weights[o.conv] = Scales(w, shape[0])
	}
	for _, f := range c.options.Float {
		if !used[f] && f != First && f != Last {
			return nil, fmt.Errorf("quant: no convolution begins with %q; there are %s, %s, and by name %s", f, First, Last, strings.Join(slices.Compact(names), " "))
		}
	}
	if len(s.Weights) == 0 {
		return nil, fmt.Errorf("quant: with %s no convolution is left for int8", strings.Join(c.options.Float, ","))
	}
	return s, s.Check()
}

// float reports whether the options leave a convolution alone, and notes which of them did.
func (c *Calibration) float(g Graph, o *operation, used map[string]bool) bool {
	is := false
	for _, f := range c.options.Float {
		switch {
		case f == First && o.In[0] == g.Images, f == Last && g.isHead(o.number), strings.HasPrefix(o.conv+".", f+"."):
			is, used[f] = true, true
		}
	}
	return is
}

// Convolutions lists the names of a graph's convolutions in the order in which they run.
func (g Graph) Convolutions() ([]string, error) {
	ops, err := g.operations()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, o := range ops {
		if o.conv != "" && !slices.Contains(names, o.conv) {
			names = append(names, o.conv)
		}
	}
	return names, nil
}
