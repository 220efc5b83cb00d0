package source

import (
	"path/filepath"
	"strings"
)

// natural compares names as people number them: frame2 stands before frame10. Numbers are compared by their value, all else byte by byte.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m == 0 || n == 0 {
			if x[0] != y[0] {
				return int(x[0]) - int(y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		v, w := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
		if len(v) != len(w) {
			return len(v) - len(w)
		}
		if c := strings.Compare(v, w); c != 0 {
			return c
		}
		x, y = x[m:], y[n:]
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(a, b)
}

// digits is how many digits a text begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

// serial marks the images among frames as those of a series, which their folder names. Pages of a file are a series already.
func serial(give func(Frame) bool) func(Frame) bool {
	return func(f Frame) bool {
		if f.Video == nil && f.Err == nil && f.Series == "" {
			f.Series = filepath.Dir(f.Path)
		}
		return give(f)
	}
}
