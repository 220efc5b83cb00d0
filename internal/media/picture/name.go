package picture

import (
	"fmt"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"retinago/internal/text"
)

// ClassName returns a class's name as labels have it: printable, and cut if it is very long. The built-in typeface has Latin, Greek and
// Cyrillic letters; a name with others is "class" with the category's id, which differs from class to class where boxes in place of letters do not.
func ClassName(name string, id int64) string {
	if name = norm.NFC.String(name); !legible(name) { // composed: an accent of its own would stand beside its letter
		return fmt.Sprintf("class %d", id)
	}
	const most = 60
	for i := range name {
		if i >= most {
			name = name[:i] + "..."
			break
		}
	}
	return text.Printable(name)
}

// legible reports whether the typeface has all letters of a text. What is not printed as it is needs none.
func legible(s string) bool {
	t, err := typeface()
	if err != nil {
		return true // which Draw reports
	}
	var b sfnt.Buffer
	for _, r := range strings.TrimSpace(text.Printable(s)) {
		if g, err := t.GlyphIndex(&b, r); err != nil || g == 0 {
			return false
		}
	}
	return true
}
