package docs

import (
	"testing"

	"github.com/golangci/misspell"
)

// Pages and code have no common misspelling of English.
func TestSpelling(t *testing.T) {
	r := misspell.New()
	r.Compile()
	check := func(path, text string) (n int) {
		_, faults := r.Replace(text)
		for _, f := range faults {
			if n++; path != "" {
				t.Errorf("%s:%d: %q, want %q", path, f.Line, f.Original, f.Corrected)
			}
		}
		return n
	}
	files(t, func(path, text string) { check(path, text) }, ".md", ".go", ".yaml", ".h", ".cpp", ".cu", ".html", ".js")
	if n := check("", "It reci"+"eves an adr"+"ess and occur"+"ed twice, and then occu"+"red again."); n != 4 {
		t.Errorf("%d faults of 4 are found", n)
	}
}
