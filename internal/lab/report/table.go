package report

import (
	"fmt"
	"html/template"
	"strconv"
)

// Table has a row per thing, named in its first column.
type Table struct {
	Caption  string
	Columns  []Column
	Rows     [][]Cell
	Sortable bool // by a click on a column's head
}

// Column is a column's head.
type Column struct {
	Name    string
	Meaning string // shown when the mouse rests on it
	Left    bool   // it holds texts
	Upright bool   // the name is written upwards: for many narrow columns
}

// Cell is one text. Those below, except Word, sort by their value.
type Cell struct {
	Text  string
	Class string       // of the style sheet; see page.css
	Style template.CSS // made of numbers, never of a user's text
	Key   string       // the number that the column is sorted by; empty sorts by the text
}

func (t Table) html() (template.HTML, error) {
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return "", fmt.Errorf("table %q: row %d has %d cells for %d columns", t.Caption, i, len(row), len(t.Columns))
		}
	}
	return fill("table", t)
}

// Word is a name in the first column, or any short text.
func Word(s string) Cell { return Cell{Text: s, Class: "left"} }

// Words is a text that wants some width.
func Words(s string) Cell { return Cell{Text: s, Class: "left words"} }

// Count is a whole number.
func Count(n int) Cell { return Cell{Text: strconv.Itoa(n), Key: strconv.Itoa(n)} }

// Number is one of 0 to 1 with three digits; a negative one means that there is nothing to measure.
func Number(v float64) Cell {
	return Cell{Text: number(v), Key: strconv.FormatFloat(v, 'g', 6, 64)}
}

// Heat is a Count on a ground that is the stronger, the larger its share of 0 to 1: blue where it is right, orange where
// it is wrong.
func Heat(n int, share float64, right bool) Cell {
	c := Count(n)
	if n == 0 {
		c.Text = "·"
		return c
	}
	c.Class = "wrong"
	if right {
		c.Class = "right"
	}
	c.Style = template.CSS(fmt.Sprintf("--heat:%.2f", .06+.54*share)) // more would hide the number
	return c
}

func number(v float64) string {
	if v < 0 {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
