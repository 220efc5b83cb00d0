package infer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/detector"
	"retinago/internal/text"
)

// Classes describes how the classes of a model and the categories of a dataset correspond. They are matched by name.
type Classes struct {
	Common      []string // in both, in the order of the model
	ModelOnly   []string // of which the dataset has no objects: they are not looked for
	DatasetOnly []string // which the model does not know: their objects are not measured
	InOrder     bool     // the model has no names: its classes are the dataset's in their order

	ids []int64 // of the dataset's categories, by class of the model; those of ModelOnly are not used
	in  []bool  // by class of the model
}

// unnamed is what classes of an imported model are called whose file names none.
var unnamed = regexp.MustCompile(`^class \d+$`)

// MatchClasses matches a model's classes with the categories of a dataset. Where the model has no names and as many classes, they are the
// dataset's in the order of their ids, as other programs number them. Having none in common otherwise is an error.
func MatchClasses(model []string, categories []coco.Category) (*Classes, error) {
	byName := make(map[string]int64, len(categories))
	for _, c := range categories {
		byName[c.Name] = c.ID
	}
	if len(model) == len(categories) && !slices.ContainsFunc(model, func(name string) bool { _, known := byName[name]; return known || !unnamed.MatchString(name) }) {
		m := &Classes{ids: make([]int64, len(model)), in: slices.Repeat([]bool{true}, len(model)), InOrder: true}
		for i, c := range categories {
			m.ids[i], m.Common = c.ID, append(m.Common, c.Name)
		}
		return m, nil
	}
	m := &Classes{ids: make([]int64, len(model)), in: make([]bool, len(model))}
	for i, name := range model {
		if m.ids[i], m.in[i] = byName[name]; m.in[i] {
			m.Common = append(m.Common, name)
			delete(byName, name)
		} else {
			m.ModelOnly = append(m.ModelOnly, name)
		}
	}
	for _, c := range categories {
		if _, left := byName[c.Name]; left {
			m.DatasetOnly = append(m.DatasetOnly, c.Name)
		}
	}
	if len(m.Common) == 0 {
		return nil, fmt.Errorf("the model knows the classes %s, the dataset has %s: none of them has the same name; give the dataset the model's names (-rename OLD=NEW), "+
			"or name the classes of an imported model with `weights import -classes`", Brief(model), Brief(m.DatasetOnly))
	}
	return m, nil
}

// Same reports whether both have the same classes.
func (m *Classes) Same() bool { return len(m.ModelOnly)+len(m.DatasetOnly) == 0 }

// Renamed reports whether as many classes are of the model alone as of the dataset alone: they may be the same under other names.
func (m *Classes) Renamed() bool {
	return len(m.ModelOnly) > 0 && len(m.ModelOnly) == len(m.DatasetOnly)
}

// wanted leaves out the classes that the dataset does not have.
func (m *Classes) wanted(d detector.Decoding) detector.Decoding {
	if len(m.ModelOnly) == 0 {
		return d
	}
	if d.Scores = slices.Clone(d.Scores); d.Scores == nil {
		d.Scores = slices.Repeat([]float32{d.Score}, len(m.in))
	}
	for i, in := range m.in {
		if !in {
			d.Scores[i] = 2
		}
	}
	return d
}

// Measured is the part of a dataset that can be measured: its images, and the objects of the common classes.
func (m *Classes) Measured(d *coco.Dataset) *coco.Dataset {
	if len(m.DatasetOnly) == 0 {
		return d
	}
	common := map[int64]bool{}
	for i, in := range m.in {
		if in {
			common[m.ids[i]] = true
		}
	}
	out := *d
	out.Categories, out.Annotations = nil, nil
	for _, c := range d.Categories {
		if common[c.ID] {
			out.Categories = append(out.Categories, c)
		}
	}
	for _, a := range d.Annotations {
		if common[a.CategoryID] {
			out.Annotations = append(out.Annotations, a)
		}
	}
	return &out
}

// String says in up to three lines what is measured and what is not. It is empty where both have the same classes.
func (m *Classes) String() string {
	if m.InOrder {
		return fmt.Sprintf("warning: the model names no classes: they are taken for the dataset's in their order: %s\n", Brief(m.Common))
	}
	if m.Same() {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "classes: %d are measured, which model and dataset both have: %s\n", len(m.Common), Brief(m.Common))
	if n := len(m.DatasetOnly); n > 0 {
		fmt.Fprintf(&b, "  not measured, since the model does not know them: %s\n", Brief(m.DatasetOnly))
	}
	if n := len(m.ModelOnly); n > 0 {
		fmt.Fprintf(&b, "  not looked for, since the dataset does not have them: %s\n", Brief(m.ModelOnly))
	}
	return b.String()
}

// Brief lists names, 20 at most and the number of the rest.
func Brief(names []string) string { return text.Brief(names) }
