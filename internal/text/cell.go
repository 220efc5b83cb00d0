package text

import (
	"strconv"
	"strings"
)

// Cell is a text as a cell of CSV. Spreadsheets run what begins with = + - @, a tab or a carriage return as a formula; such a
// text gets an apostrophe in front, which they take for the mark of a text. A number is no formula and stays. Lines end with a line feed, as
// readers of CSV have them.
func Cell(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// FromCell is the text of a Cell.
func FromCell(s string) string {
	if strings.HasPrefix(s, "'") && formula(strings.TrimLeft(s, "'")) {
		return s[1:]
	}
	return s
}

func formula(s string) bool {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err != nil
}
