package infer

import (
	"slices"
	"testing"
)

// Lists of classes are split at commas, but for those of names.
func TestSplitClasses(t *testing.T) {
	classes := []string{"cat", "dog", "dining table", "bow, arrow", "a", "a,b", "a,b,c", ","}
	known := func(name string) bool { return slices.Contains(classes, name) }
	for list, want := range map[string][]string{
		"cat":                {"cat"},
		"cat,dog":            {"cat", "dog"},
		"cat, dog":           {"cat", "dog"},
		" cat ,dining table": {"cat", "dining table"},
		"bow, arrow":         {"bow, arrow"},
		"cat,bow, arrow,dog": {"cat", "bow, arrow", "dog"},
		"bow, arrow,cat":     {"bow, arrow", "cat"},
		"a,b":                {"a,b"},
		"a,b,c":              {"a,b,c"},
		"a,b,a":              {"a,b", "a"},
		"a,cat":              {"a", "cat"},
		"cat,":               {"cat"},
		",cat":               {"cat"},
		"cat,,dog":           {"cat", "dog"},
		"lion":               {"lion"},
		"cat,lion":           {"cat", "lion"},
		"lion,tiger":         {"lion", "tiger"},
		"":                   {""},
	} {
		if got := SplitClasses(list, known); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
