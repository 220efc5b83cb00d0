package recipe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"retinago/config"
	"retinago/internal/model/weights"
	"retinago/internal/text"
)

// network is a choice of backbone, pyramid and heads.
type network struct {
	backbone      string
	width         int // of the backbone's stem; 0 is the paper's
	pyramid, head int // channels and depth
}

func (n network) String() string {
	text := n.backbone
	if n.width > 0 {
		text += fmt.Sprintf(" of width %d", n.width)
	}
	return fmt.Sprintf("%s, pyramid of %d channels, heads of %d layers", text, n.pyramid, n.head)
}

// Networks, the fastest first. Narrow backbones have no published weights.
var (
	fromRandom     = []network{{"resnet18", 32, 64, 2}, {"resnet18", 0, 128, 4}}
	fromPretrained = []network{{"resnet18", 0, 64, 2}, {"resnet18", 0, 128, 4}, {"resnet50", 0, 256, 4}}
)

func (n network) apply(m *config.Model) {
	m.Backbone, m.BackboneWidth, m.FPNWidth, m.HeadDepth = n.backbone, n.width, n.pyramid, n.head
}

// begin sets what follows from where the weights come from.
func begin(c *config.Config, n network, path string) {
	c.Train.InitWeights = path
	if path == "" {
		c.Model.Norm, c.Model.FrozenStages, c.Train.LR, c.Train.Schedule = "batch", 0, 2e-3, "one_cycle"
		if c.Train.Batch < 4 { // statistics of so few images are poor
			c.Model.Norm = "group"
		}
		return
	}
	c.Model.Norm, c.Model.FrozenStages, c.Train.LR, c.Train.Schedule = "frozen", 2, 5e-4, "cosine"
	if n.backbone == "resnet50" {
		c.Train.LR = 2e-4
	}
}

// network chooses the largest network that sees the images often enough in the time there is. Each is measured, from the smallest on.
func (m *maker) network(ctx context.Context) error {
	c := &m.out.Config
	if m.model != nil {
		c.Train.InitWeights, c.Train.LR = m.Init, 2e-4
		m.because("network", "that of %s, whose weights it starts from", m.Init)
		return m.tryAs(ctx, "the given network")
	}
	all, find, err := m.candidates(ctx)
	if err != nil {
		return err
	}
	target := m.time()
	chosen := -1
	var before config.Config
	var step time.Duration
	for i, n := range all {
		path, err := find(n.backbone)
		if err != nil {
			break // the smaller one has weights
		}
		n.apply(&c.Model)
		begin(c, n, path)
		if err := m.tryAs(ctx, n.String()); err != nil {
			if chosen >= 0 && ctx.Err() == nil {
				break // it does not fit into the memory
			}
			return err
		}
		if chosen >= 0 && m.epoch(m.took)*time.Duration(m.wanted()) > target {
			break
		}
		chosen, before, step = i, *c, m.took
		// The next one takes two to four times as long.
		if m.epoch(m.took)*time.Duration(m.wanted()) > target/2 {
			break
		}
	}
	*c, m.took = before, step
	n := all[chosen]
	why := "the smallest one; larger ones take too long here"
	if chosen > 0 {
		why = "the largest one that is fast enough here"
	}
	m.because("network", "%v: %s, at %s a step of %s", n, why, m.took.Round(time.Millisecond), text.Count(c.Train.Batch, "image"))
	if path := c.Train.InitWeights; path != "" {
		m.because("start", "from %s; the first stages and all norms of the backbone stay as they are", path)
	} else {
		m.because("rate", "one cycle up to %g: random weights take a high learning rate for a part of the run", c.Train.LR)
	}
	return nil
}

// candidates are the networks to choose from, and where their weights are.
func (m *maker) candidates(ctx context.Context) ([]network, func(backbone string) (string, error), error) {
	random := func(string) (string, error) { return "", nil }
	fromRandom, fromPretrained := fromRandom, fromPretrained
	if m.kind.wide {
		fromRandom, fromPretrained = fromRandom[1:], fromPretrained[1:]
	}
	switch {
	case m.Init == NoInit:
		m.because("start", "from random weights, as asked for")
		return fromRandom, random, nil
	case m.Init != "":
		name, err := backboneOf(m.Init)
		if err != nil {
			return nil, nil, err
		}
		var some []network
		for _, n := range fromPretrained {
			if n.backbone == name {
				some = append(some, n)
			}
		}
		return some, func(string) (string, error) { return m.Init, nil }, nil
	}
	if m.Find == nil {
		m.because("start", "from random weights")
		return fromRandom, random, nil
	}
	found := map[string]string{}
	find := func(name string) (string, error) {
		if path, ok := found[name]; ok {
			return path, nil
		}
		path, err := m.Find(ctx, name)
		if err == nil {
			found[name] = path
		}
		return path, err
	}
	if _, err := find(fromPretrained[0].backbone); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		m.because("start", "from random weights; ImageNet's, which are better for small datasets, cannot be had (%v): give their file with -init", err)
		return fromRandom, random, nil
	}
	return fromPretrained, find, nil
}

// backboneOf recognises the backbone that a file has the weights of.
func backboneOf(path string) (string, error) {
	f, err := weights.OpenAny(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	has := map[string]bool{}
	for _, n := range f.Names() {
		has[strings.TrimPrefix(n, "backbone.")] = true
	}
	switch {
	case has["layer1.0.conv3.weight"] && has["layer3.5.conv1.weight"] && !has["layer3.6.conv1.weight"]:
		return "resnet50", nil
	case has["layer1.1.conv2.weight"] && !has["layer1.2.conv1.weight"] && !has["layer1.0.conv3.weight"]:
		return "resnet18", nil
	}
	return "", fmt.Errorf("%s: neither a detector of retinago's nor the weights of resnet18 or resnet50: write a configuration for it (`retinago config new`), and set model.backbone and train.init_weights", path)
}

// tryAs measures the configuration, with a smaller batch where the memory wants it.
func (m *maker) tryAs(ctx context.Context, name string) error {
	c := &m.out.Config
	for {
		trial, err := m.with(*c)
		if err != nil {
			return err
		}
		h, w := m.canvas(trial)
		got, err := measure(ctx, trial, h, w, m.device(), m.room)
		if err != nil {
			return err
		}
		if got.step > 0 {
			m.took = got.step
			fmt.Fprintf(m.Log, "measured  %s: %s a step of %d images of up to %dx%d px (height x width), %d MB\n", name, got.step.Round(time.Millisecond), c.Train.Batch, h, w, got.memory.Total()>>20)
			return nil
		}
		if c.Train.Batch == 1 || m.Batch > 0 {
			return fmt.Errorf("%s: a batch of %d images of %dx%d px (height x width) does not fit into the memory that there is: give a smaller -size or -batch",
				name, c.Train.Batch, h, w)
		}
		c.Train.Batch /= 2
		c.Train.BaseBatch = c.Train.Batch
	}
}
