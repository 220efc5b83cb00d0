package text

import (
	"fmt"
	"strings"
)

// longest is the most characters of a name for which Nearest searches: names beyond it are hardly mistyped, and comparing them takes long.
const longest = 64

// Nearest returns the name of a list whose spelling is most like that of name, upper and lower case being the same. At most a third of the
// characters, and one in any case, may have to be inserted, deleted or replaced; false means that no name of the list is so like it.
func Nearest(name string, names []string) (string, bool) {
	a := []rune(strings.ToLower(name))
	if len(a) > longest {
		return "", false
	}
	best, least := "", 1+max(len(a)/3, 1)
	for _, n := range names {
		if len(n) > 4*(longest+least) { // in bytes
			continue
		}
		if d := distance(a, []rune(strings.ToLower(n))); d < least {
			best, least = n, d
		}
	}
	return best, best != ""
}

// distance returns the Levenshtein distance of two words: the number of insertions, deletions and substitutions between them.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(diagonal+cost, row[j]+1, row[j+1]+1)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// mostNames bounds a list of names in a message.
const mostNames = 20

// Brief lists names with commas between, 20 at most and the number of the rest.
func Brief(names []string) string {
	if more := len(names) - mostNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// Unknown is the error of a name that a list does not have. It suggests the name of the list that is spelled alike, and lists the names. what
// begins it, such as "no class".
func Unknown(what, name string, names []string) error {
	hint := ":"
	if near, ok := Nearest(name, names); ok {
		hint = fmt.Sprintf(" (did you mean %q?):", near)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s %q: there are none", what, name)
	}
	return fmt.Errorf("%s %q%s there are %s", what, name, hint, Brief(names))
}
