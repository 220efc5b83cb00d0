package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// Agreed is an error that every process of a World has at once, so that all can end in order and one of them prints it.
type Agreed struct {
	text string
	own  error // of this process; nil if only others have one
}

func (a *Agreed) Error() string { return a.text }
func (a *Agreed) Unwrap() error { return a.own }

// mostErrors is how many different errors an Agreed names.
const mostErrors = 5

// Agree returns nil if every process passes nil. Otherwise it returns an Agreed on every process, with the errors of all. On a nil World it
// returns err.
func (w *World) Agree(err error) error {
	if w.Size() == 1 {
		return err
	}
	var text []byte
	if err != nil {
		text = []byte("!" + err.Error()) // an error may have no text
	}
	all, failed := w.Gather(text)
	if failed != nil {
		return failed
	}
	if !slices.ContainsFunc(all, func(b []byte) bool { return len(b) > 0 }) {
		return nil
	}
	return &Agreed{w.together(all), err}
}

// together writes the errors of all processes as one text, each error once.
func (w *World) together(all [][]byte) string {
	var texts []string
	first, count := map[string]int{}, map[string]int{}
	for p, b := range all {
		if len(b) == 0 {
			continue
		}
		t := string(b[1:])
		if count[t]++; count[t] == 1 {
			texts, first[t] = append(texts, t), p
		}
	}
	if len(texts) == 1 && count[texts[0]] == len(all) {
		return texts[0]
	}
	more := ""
	if n := len(texts) - mostErrors; n > 0 {
		texts, more = texts[:mostErrors], fmt.Sprintf("; and %d more", n)
	}
	for i, t := range texts {
		who := w.Process(first[t])
		if n := count[t] - 1; n > 0 {
			who += fmt.Sprintf(" and %d more", n)
		}
		texts[i] = who + ": " + t
	}
	return strings.Join(texts, "; ") + more
}
