package augment

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"retinago/internal/kinds"
)

// Policy is an entry of data.augment: a name of Kinds or of Presets. Settings replace the defaults of the kind; presets have none.
type Policy struct {
	Name     string
	Settings map[string]float64
}

// Kind is a policy with its name and its settings, of which each has a probability.
type Kind struct {
	kinds.Kind
	// Combines is true if the policy works on the whole scene: it comes after all that change one image.
	Combines bool
	// Early is true if the policy ends at train.augment_until: its images look unlike those that the model is used on.
	Early bool
	apply func(d *draw)
}

// Kinds lists the policies.
var Kinds = slices.Concat(mirrorKinds, warpKinds, resizeKinds, cropKinds, toneKinds, filterKinds, mosaicKinds, mixupKinds, pasteKinds, cutoutKinds)

// probabilityKey is the setting that every kind has.
const probabilityKey = "probability"

// probability is how likely a policy is applied to an image.
func probability(p float64) kinds.Param {
	return kinds.Param{Key: probabilityKey, Default: p, Max: 1, Text: "of being applied to an image"}
}

// Find returns the policy with a name.
func Find(name string) (Kind, error) { return kinds.Find(Kinds, "policy", name) }

func (k Kind) defaults() map[string]float64 {
	out := make(map[string]float64, len(k.Params))
	for _, p := range k.Params {
		out[p.Key] = p.Default
	}
	return out
}

// Check returns what is wrong with a policy: its name, or a setting with its value and what it can be.
func (p Policy) Check() []error {
	if preset, err := FindPreset(p.Name); err == nil {
		if len(p.Settings) > 0 {
			return []error{fmt.Errorf("%s is a preset, which has no settings; name one of its policies after it: %s", preset.Name, strings.Join(preset.names(), ", "))}
		}
		return nil
	}
	kind, err := Find(brief(p.Name))
	if err != nil {
		return []error{fmt.Errorf("%w, and the presets %s", err, strings.Join(kinds.Names(Presets), ", "))}
	}
	var errs []error
	settings := kind.defaults()
	for _, key := range p.Keys() {
		v := p.Settings[key]
		param, ok := kind.Param(key)
		switch {
		case !ok:
			var have []string
			for _, p := range kind.Params {
				have = append(have, p.Key)
			}
			errs = append(errs, fmt.Errorf("%s has no setting %q; it has %s", p.Name, brief(key), strings.Join(have, ", ")))
		case !param.Holds(v):
			errs = append(errs, fmt.Errorf("%s of %s is %v, want %s", key, p.Name, v, param.Range()))
		default:
			settings[key] = v
		}
	}
	for _, pair := range pairs {
		lo, hi := pair[0], pair[1]
		a, has := settings[lo]
		if b := settings[hi]; has && a > b {
			errs = append(errs, fmt.Errorf("%s of %s is %v, want at most %s (%v)", lo, p.Name, a, hi, b))
		}
	}
	return errs
}

// brief returns a text; of a long one only the beginning.
func brief(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// pairs are settings of which the first is at most the second.
var pairs = [][2]string{{"min", "max"}, {"min_ratio", "max_ratio"}}

// String returns the policy as a configuration has it.
func (p Policy) String() string {
	if len(p.Settings) == 0 {
		return p.Name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "{name: %s", p.Name)
	for _, key := range p.Keys() {
		fmt.Fprintf(&b, ", %s: %v", key, p.Settings[key])
	}
	return b.String() + "}"
}

// Keys returns the keys of the settings in the order of the kind's, unknown ones last.
func (p Policy) Keys() []string {
	kind, _ := Find(p.Name) // a kind without settings where there is none
	place := func(key string) int {
		if i := slices.IndexFunc(kind.Params, func(s kinds.Param) bool { return s.Key == key }); i >= 0 {
			return i
		}
		return len(kind.Params)
	}
	return slices.SortedFunc(maps.Keys(p.Settings), func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b)) })
}

// degrees turns an angle into radians.
func degrees(v float64) float64 { return v * math.Pi / 180 }
