package text

import (
	"io"
	"sync"
	"unicode/utf8"
)

// Writer passes text on to a terminal, or to what may be shown on one: escaped as Printable does, but for ends of lines and
// tabs. It may be used by several goroutines.
type Writer struct {
	raw  io.Writer
	mu   sync.Mutex
	part []byte // of a character whose rest is in the next Write
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{raw: w} }

// Raw is what is written to, for data that are no text.
func (w *Writer) Raw() io.Writer { return w.raw }

// Write writes p. The bytes of a character that p begins and does not end wait for the next call.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := p
	if len(w.part) > 0 {
		b = append(w.part, p...)
		w.part = nil
	}
	whole := len(b)
	for i := max(len(b)-utf8.UTFMax+1, 0); i < len(b); i++ {
		if utf8.RuneStart(b[i]) && !utf8.FullRune(b[i:]) {
			whole = i
			break
		}
	}
	w.part = append([]byte(nil), b[whole:]...)
	return len(p), w.pass(b[:whole])
}

// Flush writes what waits.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.part
	w.part = nil
	return w.pass(b)
}

func (w *Writer) pass(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s := string(b)
	if first(s, true) < len(s) {
		b = escape(nil, s, true)
	}
	_, err := w.raw.Write(b)
	return err
}
