package train

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"retinago/backbone"
	"retinago/config"
	"retinago/detector"
	"retinago/infer"
	"retinago/internal/model/weights"
)

// start takes what fits from a file of weights in any format: a whole model's, or a backbone's with torchvision's names. c is the model's
// configuration.
func start(m *detector.Model, path string, c config.Config, w io.Writer) error {
	f, err := weights.OpenAny(path)
	if err != nil {
		return fmt.Errorf("train.init_weights: %w", err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Names(), func(n string) bool { return strings.HasPrefix(n, detector.BackbonePrefix) }) {
		return startModel(m, f, path, c, w)
	}
	return startBackbone(m, f, path, w)
}

// startModel takes every tensor of the model's name and shape. The rows of the class layer go by the names of the classes, where the file
// has them.
func startModel(m *detector.Model, f weights.Source, path string, c config.Config, w io.Writer) error {
	var rows bytes.Buffer
	src := f
	info, unnamed := detector.ReadInfo(path)
	if unnamed == nil {
		src = rowsByName(m, f, detector.Info{Config: c}, info, &rows)
	}
	r, err := m.Load(src)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// Another class count changes the last layers only. Where most of the network differs, going on would train from
	// scratch in silence.
	if all := len(m.Params()); 2*len(r.Loaded) < all {
		return fmt.Errorf("train.init_weights: %s has %d of the model's %d tensors: it is of another architecture; see model.backbone (%s), backbone_width and fpn_width",
			path, len(r.Loaded), all, c.Model.Backbone)
	}
	fmt.Fprintf(w, "weights   %s: %d tensors loaded, %d initialised, %d of another shape initialised, %d skipped\n",
		path, len(r.Loaded), len(r.Initialised), len(r.Mismatched), len(r.Skipped))
	list(w, "initialised", r.Initialised)
	list(w, "of another shape", r.Mismatched)
	list(w, "skipped", r.Skipped)
	switch loaded := slices.Contains(r.Loaded, classLayer+"weight"); {
	case unnamed == nil && loaded:
		_, err = rows.WriteTo(w)
	case loaded:
		fmt.Fprintf(w, "warning   %s names no classes, and the rows of its class layer are taken in their order, for %s: %v\n", path, infer.Brief(c.Model.Classes), unnamed)
	}
	return err
}

func startBackbone(m *detector.Model, f weights.Source, path string, w io.Writer) error {
	var want []weights.Spec
	for _, p := range m.Params() {
		want = append(want, weights.Spec{Name: p.Name, Shape: p.Shape})
	}
	tensors, r, err := weights.Backbone(f, want, detector.BackbonePrefix, backbone.NormEps)
	if err != nil {
		return err
	}
	if _, err := m.Load(weights.List(tensors)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(w, "weights   %s: %d tensors of the backbone loaded, %d initialised, %d skipped\n", path, len(r.Loaded), len(r.Initialised), len(r.Skipped))
	list(w, "initialised", r.Initialised)
	list(w, "skipped", r.Skipped)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "          %s\n", n)
	}
	return nil
}

// list names parameters by their modules, a dozen at most.
func list(w io.Writer, what string, names []string) {
	var modules []string
	for _, n := range names {
		if i := strings.LastIndexByte(n, '.'); i > 0 {
			n = n[:i]
		}
		if !slices.Contains(modules, n) {
			modules = append(modules, n)
		}
	}
	if len(modules) == 0 {
		return
	}
	more := ""
	if n := len(modules) - 12; n > 0 {
		modules, more = modules[:12], fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "          %s: %s%s\n", what, strings.Join(modules, " "), more)
}
