package recipe

import (
	"cmp"
	"context"
	"fmt"

	"retinago/anchors"
	"retinago/augment"
	"retinago/config"
	"retinago/internal/text"
)

// find sets the recipe that the request names.
func (m *maker) find() (err error) {
	if m.kind, err = Find(cmp.Or(m.Recipe, Default)); err != nil {
		return err
	}
	return m.kind.CheckDevice(m.Device)
}

// named gives the reason for the recipe, and suggests another one where none is named.
func (m *maker) named(context.Context) error {
	if m.Recipe != "" {
		m.because("recipe "+m.kind.Name, "as asked for: %s", m.kind.Text)
		return nil
	}
	m.because("recipe "+m.kind.Name, "for %s, since none was asked for", m.kind.Text)
	if name, why := m.look.suggestion(m.gpu()); name != "" {
		m.because("suggestion", "-recipe %s may find more: %s", name, why)
	}
	return nil
}

// augment chooses how training images are varied.
func (m *maker) augment() error {
	preset, err := augment.FindPreset(cmp.Or(m.Augment, m.kind.preset))
	if err != nil {
		return err
	}
	m.out.Config.Data.Augment = append(config.Augment{{Name: preset.Name}}, m.kind.policies...)
	m.because("augmentation "+preset.Name, "%s", preset.Text)
	for _, p := range m.kind.policies {
		kind, err := augment.Find(p.Name)
		if err != nil {
			return err
		}
		m.because("augmentation "+p.Name, "%s", kind.Text)
	}
	return nil
}

// sampler sets how often images with rare classes come.
func (m *maker) sampler(context.Context) (err error) {
	d := &m.out.Config.Data
	if m.kind.balanced {
		d.Sampler, d.RepeatThreshold = "repeat_factor", m.look.share
	}
	if m.length, err = m.train.EpochLength(*d); err != nil {
		return err
	}
	if m.kind.balanced {
		m.because("sampler repeat_factor", "images with a class that is in less than %.2g of them come more often: %s in an epoch, and %d in the dataset",
			d.RepeatThreshold, text.Count(m.length, "picture"), m.train.Len())
	}
	return nil
}

// windows sets that the network sees windows of the images, unscaled.
func (m *maker) windows() {
	d := &m.out.Config.Data
	most := 512
	if m.gpu() {
		most = 800
	}
	side, why := min(most, up(m.look.short*m.look.aspect)), "a larger -size shows the network more of an image at once and takes longer"
	switch {
	case m.Size > 0:
		side, why = m.Size, "as asked for"
	case m.model != nil:
		side, why = m.model.Config.Data.TestSide(), "as "+m.Init+" was trained"
	}
	// Equal bounds of both sides: the canvas is square for a tile, and fits into the square for a window of a whole image.
	d.ShortSides, d.MaxSide, d.CanvasMultiple = []int{side}, side, 32
	// The window comes first: other changes of scale are of the window.
	d.Augment = append(config.Augment{{Name: "crop", Settings: map[string]float64{"size": float64(side)}}}, d.Augment...)
	m.because("windows of "+fmt.Sprint(side)+" px", "unscaled, with objects of %.0f px and more as they are; %s", m.look.smallest, why)
	if m.model == nil && m.look.smallest < seen {
		model := &m.out.Config.Model
		model.P2, model.Anchors = true, paperAnchors(true)
		m.because("pyramid from P2", "a level of stride 4, since a tenth of the objects is smaller than %d px: at stride 8 few anchors fit these; it takes more time and memory", seen)
	}
	m.because("afterwards", "measure with `retinago eval RUN -tile %d`, and detect with the same -tile: tiles are then seen as in training", side)
}

// natural returns the objects of the training images in their own px, for the choice of anchors.
func (m *maker) natural() []anchors.Picture {
	out := make([]anchors.Picture, m.train.Len())
	for i := range out {
		im := m.train.Image(i)
		out[i] = anchors.Picture{W: im.Width, H: im.Height, Scale: 1}
		boxes, classes, crowd := m.train.Objects(i)
		for k, b := range boxes {
			if !crowd[k] {
				out[i].Boxes, out[i].Classes = append(out[i].Boxes, b), append(out[i].Classes, classes[k])
			}
		}
	}
	return out
}
