package progress

import (
	"io"
	"strings"
	"time"
)

// Line is the line of a terminal. All Lines of a Screen are the same line: the last Show counts. The methods of nil do nothing.
type Line struct{ w *Writer }

// On returns the line of the terminal that w writes to, itself or through writers with a method Raw; nil where there is none.
func On(w io.Writer) *Line {
	for {
		switch v := w.(type) {
		case *Writer:
			return &Line{v}
		case interface{ Raw() io.Writer }:
			w = v.Raw()
		default:
			return nil
		}
	}
}

// Show shows a status in the place of the last one. A line that was just drawn stays for a moment, so that frequent calls cost little,
// unless the status is of other work: the first word of its What differs.
func (l *Line) Show(s Status) {
	if l == nil {
		return
	}
	screen := l.w.screen
	screen.mu.Lock()
	defer screen.mu.Unlock()
	same := work(s) == work(screen.status)
	screen.status = s
	if screen.closed || screen.partial || screen.on != nil && same && time.Since(screen.drawn) < pause {
		return
	}
	screen.drawn = time.Now()
	screen.draw(l.w)
}

// work returns the first word of a status.
func work(s Status) string {
	word, _, _ := strings.Cut(s.What, " ")
	return word
}

// Clear removes the line until the next Show.
func (l *Line) Clear() {
	if l == nil {
		return
	}
	screen := l.w.screen
	screen.mu.Lock()
	defer screen.mu.Unlock()
	screen.remove()
}
