package train

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"retinago/detector"
	"retinago/infer"
	"retinago/internal/model/weights"
)

// classLayer begins the names of the convolution that gives the logits. Its outputs are, for each anchor of a cell, the classes in their order
// and then the background, where there is one.
const classLayer = "head.classification_head.cls_logits."

// classRows is a file of weights whose class layer has the rows of a model's classes, matched by name. The rows of classes that the file does
// not have are the model's own.
type classRows struct {
	weights.Source
	model  *detector.Model
	from   []int // by logit of an anchor of the model: the logit of the file, -1 for none
	logits int   // of an anchor of the file
}

// rowsByName matches the classes of a model with those of a file, and prints which take their rows.
func rowsByName(m *detector.Model, f weights.Source, now, then detector.Info, w io.Writer) weights.Source {
	names, old := now.Config.Model.Classes, then.Config.Model.Classes
	r := classRows{Source: f, model: m, logits: len(old)}
	var kept, fresh []string
	for _, n := range names {
		i := slices.Index(old, n)
		if r.from = append(r.from, i); i < 0 {
			fresh = append(fresh, n)
		} else {
			kept = append(kept, n)
		}
	}
	if now.Config.Model.Background {
		r.from = append(r.from, -1)
	}
	if then.Config.Model.Background {
		if now.Config.Model.Background {
			r.from[len(names)] = r.logits
		}
		r.logits++
	}
	left := slices.DeleteFunc(slices.Clone(old), func(n string) bool { return slices.Contains(names, n) })
	var parts []string
	for _, p := range []struct {
		names []string
		what  string
	}{{kept, "take their rows of the class layer"}, {fresh, "start anew"}, {left, "are of the file alone"}} {
		if len(p.names) > 0 {
			parts = append(parts, infer.Brief(p.names)+" "+p.what)
		}
	}
	fmt.Fprintf(w, "          classes by name: %s\n", strings.Join(parts, "; "))
	return r
}

// Tensor is the file's tensor; of the class layer it is the one that the model wants.
func (r classRows) Tensor(name string) (weights.Tensor, error) {
	t, err := r.Source.Tensor(name)
	p := r.model.Param(name)
	if err != nil || p == nil || !strings.HasPrefix(name, classLayer) || len(t.Shape) == 0 || len(t.Shape) != len(p.Shape) {
		return t, err
	}
	anchors := p.Shape[0] / len(r.from)
	if t.Shape[0] != anchors*r.logits || !slices.Equal(t.Shape[1:], p.Shape[1:]) { // of other anchors or another width: it is initialised
		return t, nil
	}
	out := weights.Tensor{Name: name, Shape: slices.Clone(p.Shape), Data: make([]float32, p.Size())}
	if err := r.model.Engine().Download(out.Data, p.Value); err != nil {
		return t, err
	}
	row := p.Size() / p.Shape[0]
	for a := range anchors {
		for k, from := range r.from {
			if from >= 0 {
				at := (a*r.logits + from) * row
				copy(out.Data[(a*len(r.from)+k)*row:][:row], t.Data[at:at+row])
			}
		}
	}
	return out, nil
}
