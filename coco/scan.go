package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// What hostile text cannot exceed: nesting of arrays and objects, which takes stack; bytes of a string that is read, and of a
// value that is kept as text.
const (
	maxDepth = 512
	maxText  = 1 << 20
	maxValue = 256 << 20
)

// errTruncated is the end of the text inside a value.
var errTruncated = errors.New("the JSON ends in the middle of a value")

// scanner reads JSON text value by value through a fixed window. It differs from json.Decoder in what COCO
// files need: it knows the byte offset of every item, it reads Python's NaN and Infinity (which JSON does not
// have, but Python's json.dump writes), and it can skip a value without allocating.
//
// The first syntax or read error sticks in err; after it every method does nothing and returns zero values.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is unread
	base     int64 // file offset of buf[0]
	err      error

	capturing bool
	raw       []byte // captured text up to buf[rawFrom]
	rawFrom   int
	glimpsing bool // the captured text is for a message: its begin is enough

	tok       []byte // text of the last string or number
	depth     int
	nonFinite int // how many NaN and Infinity were read so far
}

func newScanner(r io.Reader) *scanner {
	s := &scanner{r: r, buf: make([]byte, 1<<16)}
	if s.more() && s.end >= 3 && bytes.HasPrefix(s.buf[:s.end], []byte("\xef\xbb\xbf")) {
		s.pos = 3 // a byte order mark
	}
	return s
}

// offset is the position of the next unread byte in the file.
func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// more makes sure that a byte is unread; false at the end of the file and after an error.
func (s *scanner) more() bool {
	if s.err != nil {
		return false
	}
	if s.pos < s.end {
		return true
	}
	s.gather(s.end)
	s.rawFrom = 0
	s.base += int64(s.end)
	s.pos, s.end = 0, 0
	for range 100 {
		n, err := s.r.Read(s.buf)
		s.end = n
		if n > 0 {
			return true
		}
		if err == io.EOF {
			return false
		}
		if err != nil {
			s.err = err
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// gather adds the window up to a place to the captured text.
func (s *scanner) gather(to int) {
	switch {
	case !s.capturing || s.glimpsing && len(s.raw) > glimpse:
	case len(s.raw)+to-s.rawFrom > maxValue:
		s.fail("saw a value of more than %d bytes", maxValue)
	default:
		s.raw = append(s.raw, s.buf[s.rawFrom:to]...)
	}
}

// peek is the next byte that is not white space; 0 after an error. The end of the file is one.
func (s *scanner) peek() byte {
	for s.more() {
		switch c := s.buf[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	s.truncated()
	return 0
}

func (s *scanner) truncated() {
	if s.err == nil {
		s.err = errTruncated
	}
}

// next consumes one byte, white space or not.
func (s *scanner) next() byte {
	if !s.more() {
		s.truncated()
		return 0
	}
	c := s.buf[s.pos]
	s.pos++
	return c
}

func (s *scanner) syntax(c byte, want string) {
	s.fail("saw %q where JSON wants %s", c, want)
}

// atEnd checks that only white space follows.
func (s *scanner) atEnd() {
	for s.more() {
		switch c := s.buf[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			s.syntax(c, "the end of the file")
		}
	}
}

// object reads an object; member must consume the value of each key. The key is valid until it does.
func (s *scanner) object(member func(key []byte)) {
	s.open('{')
	if s.peek() == '}' {
		s.close()
		return
	}
	for s.err == nil {
		if c := s.peek(); c != '"' {
			s.syntax(c, "a key in quotes")
			return
		}
		s.str()
		if c := s.peek(); c != ':' {
			s.syntax(c, "a colon after a key")
			return
		}
		s.pos++
		member(s.tok)
		switch c := s.peek(); c {
		case ',':
			s.pos++
		case '}':
			s.close()
			return
		default:
			s.syntax(c, "a comma or } after a member")
		}
	}
}

// array reads an array; element must consume one value.
func (s *scanner) array(element func(i int)) {
	s.open('[')
	if s.peek() == ']' {
		s.close()
		return
	}
	for i := 0; s.err == nil; i++ {
		element(i)
		switch c := s.peek(); c {
		case ',':
			s.pos++
		case ']':
			s.close()
			return
		default:
			s.syntax(c, "a comma or ] after an element")
		}
	}
}

func (s *scanner) open(bracket byte) {
	if c := s.peek(); c != bracket {
		s.syntax(c, strconv.QuoteRune(rune(bracket)))
		return
	}
	s.pos++
	if s.depth++; s.depth > maxDepth {
		s.fail("more than %d brackets inside each other", maxDepth)
	}
}

func (s *scanner) close() {
	s.pos++
	s.depth--
}

// str reads a string into tok, escapes resolved.
func (s *scanner) str() {
	if c := s.next(); c != '"' {
		s.syntax(c, "a string")
		return
	}
	s.tok = s.tok[:0]
	escaped := false
	for s.more() {
		window := s.buf[s.pos:s.end]
		n := 0
		for n < len(window) && window[n] != '"' && window[n] != '\\' && window[n] >= ' ' {
			n++
		}
		s.tok = append(s.tok, window[:n]...)
		s.pos += n
		if len(s.tok) > maxText {
			s.fail("saw a string of more than %d bytes", maxText)
			return
		}
		if n == len(window) {
			continue
		}
		switch c := s.next(); c {
		case '"':
			if escaped {
				s.unescape()
			}
			return
		case '\\':
			escaped = true
			s.tok = append(s.tok, c, s.next())
		default:
			s.fail("saw the control character %q inside a string", c)
			return
		}
	}
	s.truncated()
}

// skipStr reads a string of any length and forgets it.
func (s *scanner) skipStr() {
	s.next() // the quote
	for s.more() {
		window := s.buf[s.pos:s.end]
		n := 0
		for n < len(window) && window[n] != '"' && window[n] != '\\' && window[n] >= ' ' {
			n++
		}
		if s.pos += n; n == len(window) {
			continue
		}
		switch c := s.next(); c {
		case '"':
			return
		case '\\':
			s.skipEscape()
		default:
			s.fail("saw the control character %q inside a string", c)
			return
		}
	}
	s.truncated()
}

// skipEscape reads what follows a backslash.
func (s *scanner) skipEscape() {
	c := s.next()
	if c != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), c) < 0 {
			s.fail("saw a string with a wrong escape: \\%c", c)
		}
		return
	}
	for range 4 {
		if h := s.next(); !('0' <= h && h <= '9' || 'a' <= h && h <= 'f' || 'A' <= h && h <= 'F') {
			s.fail("saw a string with a wrong escape: \\u with %q", h)
			return
		}
	}
}

func (s *scanner) unescape() {
	quoted := append(append([]byte{'"'}, s.tok...), '"')
	var v string
	if err := json.Unmarshal(quoted, &v); err != nil {
		s.fail("saw a string with a wrong escape: %s", short(quoted))
		return
	}
	s.tok = append(s.tok[:0], v...)
}

// word reads true, false or null.
func (s *scanner) word(w string) {
	for i := range len(w) {
		if c := s.next(); s.err == nil && c != w[i] {
			s.syntax(c, w)
		}
	}
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip() {
	switch c := s.peek(); {
	case s.err != nil:
	case c == '{':
		s.object(func([]byte) { s.skip() })
	case c == '[':
		s.array(func(int) { s.skip() })
	case c == '"':
		s.skipStr()
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	case isNumber(c):
		s.scanNumber()
	default:
		s.syntax(c, "a value")
	}
}

// capture reads a value of any kind and returns its text, valid until the next capture.
func (s *scanner) capture() []byte {
	s.peek()
	s.capturing, s.raw, s.rawFrom = true, s.raw[:0], s.pos
	s.skip()
	s.gather(s.pos)
	s.capturing = false
	return s.raw
}

// glance is capture for a message: it keeps little of a long value.
func (s *scanner) glance() []byte {
	s.glimpsing = true
	defer func() { s.glimpsing = false }()
	return s.capture()
}

// glimpse is how many bytes of a text a message has.
const glimpse = 40

// short is text for a message.
func short(b []byte) string {
	if len(b) <= glimpse {
		return string(b)
	}
	return string(bytes.ToValidUTF8(b[:glimpse], nil)) + "..."
}
