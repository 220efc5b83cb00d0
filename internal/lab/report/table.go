package report

import (
	"fmt"
	"html/template"
	"strconv"
)

// Table is a table whose first column names the rows.
type Table struct {
	Caption  string
	Columns  []Column
	Rows     [][]Cell
	Sortable bool // a click on a column's head sorts it
}

// Column is the head of a column.
type Column struct {
	Name    string
	Meaning string // shown when the mouse pointer rests on the head
	Left    bool   // the column has texts, aligned to the left
	Upright bool   // the name is written upwards: for many narrow columns
}

// Cell is a text. Cells made by the functions below, except Word, sort by their value.
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

// Word returns a cell with a name or another short text.
func Word(s string) Cell { return Cell{Text: s, Class: "left"} }

// Words returns a cell with a text of several words, which has a minimum width.
func Words(s string) Cell { return Cell{Text: s, Class: "left words"} }

// Count returns a cell with a whole number.
func Count(n int) Cell { return Cell{Text: strconv.Itoa(n), Key: strconv.Itoa(n)} }

// Number returns a cell with a number from 0 to 1 in three digits. A negative number means that there was nothing to measure.
func Number(v float64) Cell {
	return Cell{Text: number(v), Key: strconv.FormatFloat(v, 'g', 6, 64)}
}

// Heat returns a Count with a background colour, the stronger the larger share (0 to 1) is: blue for right detections, orange for wrong
// ones.
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
	c.Style = template.CSS(fmt.Sprintf("--heat:%.2f", .06+.54*share)) // a stronger colour would hide the number
	return c
}

func number(v float64) string {
	if v < 0 {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
