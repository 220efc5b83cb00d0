package progress

import (
	"io"
	"os"
	"sync"
	"time"
)

// pause is the least time between two drawings of a line.
const pause = 100 * time.Millisecond

// erase goes to the beginning of the line and removes it.
const erase = "\r\x1b[K"

// Screen is the terminal of a program, with one line at its bottom for all outputs that lead there. Its zero value is ready. Goroutines may
// share it.
type Screen struct {
	mu      sync.Mutex
	on      *Writer   // that shows the line; nil while there is none
	status  Status    // that the line shows
	drawn   time.Time // when the line was drawn last
	partial bool      // the last output does not end with the end of a line
	closed  bool
}

// Output returns a writer to a file. What is written to a terminal appears above the line. Of another file, and of a terminal that cannot
// show a line, it is the file itself.
func (s *Screen) Output(f *os.File) io.Writer {
	if !shows(f) {
		return f
	}
	return &Writer{screen: s, file: f}
}

// Close removes the line, and shows none from then on.
func (s *Screen) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove()
	s.closed = true
}

// remove removes the line if there is one.
func (s *Screen) remove() {
	if s.on != nil {
		io.WriteString(s.on.file, erase) // a terminal that is gone shows no line
		s.on = nil
	}
}

// echo is the columns that stay free, for what a terminal shows of Ctrl-C.
const echo = 3

// draw writes the line anew.
func (s *Screen) draw(w *Writer) {
	line := s.status.text(columns(w.file) - echo)
	if s.on != nil && s.on != w {
		s.remove()
	}
	io.WriteString(w.file, erase+line) // as in remove
	s.on = w
}

// Writer is an output that leads to the terminal.
type Writer struct {
	screen *Screen
	file   *os.File
}

// Write writes p above the line.
func (w *Writer) Write(p []byte) (int, error) {
	s := w.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	on := s.on
	s.remove()
	n, err := w.file.Write(p)
	if len(p) > 0 {
		s.partial = p[len(p)-1] != '\n'
	}
	if on != nil && !s.partial && err == nil {
		s.draw(on)
	}
	return n, err
}
