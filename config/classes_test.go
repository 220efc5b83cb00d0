package config

import (
	"slices"
	"strings"
	"testing"

	"retinago/loss"
)

// Weights of classes are a list of numbers, as YAML's or separated by commas, or a name.
func TestClassWeights(t *testing.T) {
	for text, want := range map[string]loss.ClassWeights{
		"[1, 2.5, .5]": "1,2.5,0.5", "1,2.5,.5": "1,2.5,.5", "inverse_frequency": "inverse_frequency", "[]": "", "": "",
	} {
		c := Default()
		if err := c.Set([]string{"model.classes=[a,b,c]", "loss.class_weights=" + text}); err != nil || c.Loss.ClassWeights != want {
			t.Errorf("%q is read as %q, want %q: %v", text, c.Loss.ClassWeights, want, err)
		}
		again, err := Parse("again", []byte(c.String()))
		if err != nil || again.Loss.ClassWeights != want {
			t.Errorf("%q is written and read as %q: %v", want, again.Loss.ClassWeights, err)
		}
	}
	weights := withClasses(func(k loss.Kind) bool { return k.ClassWeights })
	alphas := withClasses(func(k loss.Kind) bool { return k.ClassAlphas })
	for name, has := range map[string][2]bool{"focal": {true, true}, "bce": {true, false}, "poly1": {true, true}, "softmax": {true, false}, "ghmc": {true, false},
		"efl": {}, "seesaw": {}, "quality": {}} {
		if got := [2]bool{slices.Contains(weights, name), slices.Contains(alphas, name)}; got != has {
			t.Errorf("%s has weights and alphas of classes: %v, want %v", name, got, has)
		}
	}
	for _, k := range []struct {
		sets []string
		want string
	}{
		{[]string{"loss.class_weights=[1,x]"}, `loss.class_weights[1] is "x", want a number`},
		{[]string{"loss.class_weights=frequency"}, `loss.class_weights is "frequency": number 1 is "frequency", want numbers from 0 to 1e+06, not all 0, one for each class, or one of inverse_frequency, effective_number`},
		{[]string{"loss.class_weights=1,2"}, `loss.class_weights is "1,2", want a number for each of the 3 classes, it has 2`},
		{[]string{"loss.class_weights=1,2,3", "loss.kind=efl"}, "none with loss.kind efl; losses with weights are " + strings.Join(weights, ", ")},
		{[]string{"loss.class_alphas=[.5,2,.5]"}, "loss.class_alphas[1] is 2, want 0 to 1"},
		{[]string{"loss.class_alphas=[.5]"}, "loss.class_alphas is [0.5], want a number for each of the 3 classes, it has 1"},
		{[]string{"loss.class_alphas=[.5,.5,.5]", "loss.kind=bce"}, "none with loss.kind bce; losses with alphas are " + strings.Join(alphas, ", ")},
		{[]string{"data.repeat_threshold=0"}, "data.repeat_threshold is 0, want above 0, at most 1"},
	} {
		c := Default()
		if err := c.Set(append([]string{"model.classes=[a,b,c]"}, k.sets...)); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v: %v, want %q", k.sets, err, k.want)
		}
	}
}
