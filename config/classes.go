package config

import (
	"fmt"
	"strings"

	"retinago/internal/kinds"
	"retinago/loss"
)

// classLosses checks the settings that have a value for each of so many classes; 0 is not known yet.
func (v *check) classLosses(l Loss, classes int) {
	kind, err := loss.Find(l.Kind)
	known := err == nil
	v.text("loss.class_weights", string(l.ClassWeights), maxNames)
	if weights, err := l.ClassWeights.List(); err != nil {
		*v = append(*v, fmt.Errorf("loss.class_weights is %s: %w, want numbers from 0 to %g, not all 0, one for each class, or one of %s",
			brief(string(l.ClassWeights)), err, loss.MaxWeight, strings.Join(kinds.Names(loss.Weightings), ", ")))
	} else if known && l.ClassWeights != "" && !kind.ClassWeights {
		v.fail("loss.class_weights", string(l.ClassWeights), "none with loss.kind %s; losses with weights are %s", l.Kind,
			strings.Join(withClasses(func(k loss.Kind) bool { return k.ClassWeights }), ", "))
	} else if weights != nil && classes > 0 && len(weights) != classes {
		v.fail("loss.class_weights", string(l.ClassWeights), "a number for each of the %d classes, it has %d", classes, len(weights))
	}
	if !v.length("loss.class_alphas", len(l.ClassAlphas), MaxClasses) || len(l.ClassAlphas) == 0 {
		return
	}
	for i, a := range l.ClassAlphas {
		v.span(fmt.Sprintf("loss.class_alphas[%d]", i), a, 0, 1)
	}
	if known && !kind.ClassAlphas {
		v.fail("loss.class_alphas", abridged(l.ClassAlphas), "none with loss.kind %s; losses with alphas are %s", l.Kind,
			strings.Join(withClasses(func(k loss.Kind) bool { return k.ClassAlphas }), ", "))
	} else if classes > 0 && len(l.ClassAlphas) != classes {
		v.fail("loss.class_alphas", abridged(l.ClassAlphas), "a number for each of the %d classes, it has %d", classes, len(l.ClassAlphas))
	}
}

// withClasses returns the names of the class losses for which f is true.
func withClasses(f func(loss.Kind) bool) (names []string) {
	for _, k := range loss.Kinds {
		if f(k) {
			names = append(names, k.Name)
		}
	}
	return names
}
