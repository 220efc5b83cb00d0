package coco

import (
	"unicode/utf8"

	"retinago/internal/text"
)

// column is a table's column of class names, as they can be shown.
type column struct {
	names []string
	width int // in characters
}

// widest bounds a column: a longer name pushes its own row aside, not all of them.
const widest = 60

func newColumn(head string, n int, name func(i int) string) column {
	c := column{make([]string, n), utf8.RuneCountInString(head)}
	for i := range c.names {
		c.names[i] = text.Printable(name(i))
		c.width = max(c.width, min(utf8.RuneCountInString(c.names[i]), widest))
	}
	return c
}
