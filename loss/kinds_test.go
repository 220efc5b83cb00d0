package loss

import (
	"slices"
	"strings"
	"testing"

	"retinago/internal/kinds"
)

// Every kind has a name of its own, a text, one maker, and defaults within its ranges and those of the setting.
func TestKinds(t *testing.T) {
	t.Parallel()
	names := append(kinds.Names(Kinds), kinds.Names(BoxKinds)...)
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name stands twice: %v", names)
	}
	for _, k := range Kinds {
		if k.Name == "" || k.Text == "" || (k.Class == nil) == (k.Quality == nil) {
			t.Errorf("%+v lacks a text, or has no maker or two", k.Kind)
		}
		for _, p := range k.Params {
			i := slices.IndexFunc(KeyRanges, func(r kinds.Param) bool { return r.Key == p.Key })
			if i < 0 || !KeyRanges[i].Holds(p.Default) || !p.Holds(p.Default) {
				t.Errorf("%s: the default of %s is %g, which is not in its range", k.Name, p.Key, p.Default)
			}
		}
	}
	for _, k := range BoxKinds {
		if k.New == nil || k.New(.1) == nil {
			t.Errorf("%s has no maker", k.Name)
		}
	}
	if _, err := Find("mse"); err == nil || !strings.Contains(err.Error(), "focal, bce") {
		t.Errorf("an unknown loss: %v", err)
	}
}

// An alpha of 0 in a configuration weights objects with 0; in a loss it disables weighting.
func TestConfiguredAlphaOfZero(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds {
		if _, reads := k.Param("alpha"); !reads || k.Class == nil {
			continue
		}
		p := DefaultParams()
		p.Alpha = 0
		grad := make([]float32, 2)
		k.Class(p).Eval(grad, []float32{1, 1}, []int32{0, Background})
		if grad[0] != 0 || grad[1] == 0 {
			t.Errorf("%s: gradients of an object and of background are %v", k.Name, grad)
		}
	}
}
