// Package text makes text from elsewhere fit to be shown: names of files and classes may hold what commands a terminal.
package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Printable is a name as part of a line: control characters, marks that turn the direction of writing, and bytes that are not
// UTF-8 become escapes such as \n, \x1b and \u202e.
func Printable(s string) string {
	if i := first(s, false); i < len(s) {
		return string(escape([]byte(s[:i]), s[i:], false))
	}
	return s
}

// first is the index of the first character to escape, len(s) if there is none. In text, lines and tabs stay.
func first(s string, text bool) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") || commands(r, text) {
			return i
		}
	}
	return len(s)
}

// commands reports whether a terminal obeys a character rather than show it.
func commands(r rune, text bool) bool {
	switch {
	case r == '\n' || r == '\t':
		return !text
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true // direction marks; line and paragraph separators
	}
	return false
}

// escape appends s with escapes. Those of characters from U+007F on are JSON's, so that what is JSON stays the same.
func escape(to []byte, s string, text bool) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			to = fmt.Appendf(to, `\x%02x`, s[0])
		case !commands(r, text):
			to = append(to, s[:n]...)
		case r == '\n':
			to = append(to, `\n`...)
		case r == '\t':
			to = append(to, `\t`...)
		case r == '\r':
			to = append(to, `\r`...)
		case r < ' ':
			to = fmt.Appendf(to, `\x%02x`, r)
		default:
			to = fmt.Appendf(to, `\u%04x`, r)
		}
		s = s[n:]
	}
	return to
}
