// Package kinds describes the entries of the tables of kinds: the backbones, losses, matchers and methods that a configuration names.
// Each table is a plain variable of the package that owns the things; settings, error messages, experiments and documentation read it.
package kinds

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind describes one entry of a table.
type Kind struct {
	Name   string  // in configurations, flags and messages
	Text   string  // what it is, in one line, with its source
	Needs  string  // what else must be set for it; empty for nothing
	Params []Param // the settings that it reads
}

// Entry returns the description. Entries of tables embed Kind.
func (k Kind) Entry() Kind { return k }

// Param returns the setting of that key.
func (k Kind) Param(key string) (Param, bool) {
	for _, p := range k.Params {
		if p.Key == key {
			return p, true
		}
	}
	return Param{}, false
}

// Param is a number that a kind reads.
type Param struct {
	Key      string  // the last part of its key in a configuration
	Default  float64 // what the source of the kind recommends
	Min, Max float64
	Above    bool   // Min itself is excluded
	Whole    bool   // a fraction is excluded
	Want     string // the range in words, where numbers are not enough
	Text     string // what it does
}

// Holds reports whether v is in the range. NaN is not.
func (p Param) Holds(v float64) bool {
	return v >= p.Min && v <= p.Max && !(p.Above && v == p.Min) && !(p.Whole && v != math.Trunc(v))
}

// Range is the range in words.
func (p Param) Range() string {
	switch {
	case p.Want != "":
		return p.Want
	case p.Above:
		return fmt.Sprintf("above %v, at most %v", p.Min, p.Max)
	case p.Whole:
		return fmt.Sprintf("whole, %v to %v", p.Min, p.Max)
	}
	return fmt.Sprintf("%v to %v", p.Min, p.Max)
}

// Entry is an entry of a table: a struct that embeds Kind.
type Entry interface{ Entry() Kind }

// Names lists the names of a table, in its order.
func Names[E Entry](table []E) []string {
	out := make([]string, len(table))
	for i, e := range table {
		out[i] = e.Entry().Name
	}
	return out
}

// Find returns the entry of that name. The error of an unknown name lists the known ones; what says of what it is the name.
func Find[E Entry](table []E, what, name string) (E, error) {
	for _, e := range table {
		if e.Entry().Name == name {
			return e, nil
		}
	}
	var none E
	return none, fmt.Errorf("unknown %s %q; there are %s", what, name, strings.Join(Names(table), ", "))
}

// Markdown is a table of a documentation page: name, text, settings with defaults and ranges, needs.
func Markdown[E Entry](table []E) string {
	var b strings.Builder
	b.WriteString("| name | what it is | settings: default (range) | needs |\n|---|---|---|---|\n")
	for _, e := range table {
		k := e.Entry()
		var params []string
		for _, p := range k.Params {
			params = append(params, fmt.Sprintf("`%s`: %s (%s)", p.Key, strconv.FormatFloat(p.Default, 'g', -1, 64), p.Range()))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, strings.ReplaceAll(k.Text, "*", `\*`), strings.Join(params, "; "), k.Needs)
	}
	return b.String()
}
