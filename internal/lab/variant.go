package lab

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Variant is one row of an experiment: the settings that it changes.
type Variant struct {
	Name  string
	Words string
	Sets  []string  // settings over the sweep's configuration, "loss.gamma=2"
	Table string    // table of the paper with this row, such as "1b"; empty if there is none
	Paper []float64 // the paper's AP, AP50 and AP75 in percent; nil if it has none
	// Tune makes the sweep choose the alpha with the best AP, if it has several.
	Tune bool
}

// Select returns the variants whose names match one of the patterns of a comma-separated list, such as "ce*,fl-g2", in
// the order of all. Patterns are those of path.Match. An empty list selects all.
func Select(all []Variant, list string) ([]Variant, error) {
	if strings.TrimSpace(list) == "" {
		return all, nil
	}
	keep := make([]bool, len(all))
	for _, pattern := range strings.Split(list, ",") {
		pattern = strings.TrimSpace(pattern)
		found := false
		for i, v := range all {
			ok, err := path.Match(pattern, v.Name)
			if err != nil {
				return nil, fmt.Errorf("%q is not a pattern: %w", pattern, err)
			}
			if ok {
				keep[i], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no variant %q; there are %s", pattern, strings.Join(names(all), ", "))
		}
	}
	var out []Variant
	for i, v := range all {
		if keep[i] {
			out = append(out, v)
		}
	}
	return out, nil
}

// Adjust adds a setting to variants. A rule "PATTERN:key=value" adds key=value to each variant whose name matches PATTERN.
func Adjust(all []Variant, rules []string) ([]Variant, error) {
	out := slices.Clone(all)
	for _, r := range rules {
		pattern, set, ok := strings.Cut(r, ":")
		if !ok || !strings.Contains(set, "=") {
			return nil, fmt.Errorf("%q: want NAME:key=value, as in ce-noprior:train.lr=.0001", r)
		}
		match, err := Select(all, pattern)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", r, err)
		}
		for i := range out {
			if slices.Contains(names(match), out[i].Name) {
				out[i].Sets = append(slices.Clone(out[i].Sets), set)
			}
		}
	}
	return out, nil
}

// Help lists variants with their settings.
func Help(all []Variant) string {
	var b strings.Builder
	for _, v := range all {
		fmt.Fprintf(&b, "%-16s %s (%s)\n", v.Name, v.Words, strings.Join(v.Sets, " "))
	}
	return b.String()
}

func names(all []Variant) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = v.Name
	}
	return out
}

// short is a number as names have it: .25, 2.
func short(v float64) string {
	s := fmt.Sprint(v)
	if s != "0" {
		s = strings.TrimPrefix(s, "0")
	}
	return s
}
