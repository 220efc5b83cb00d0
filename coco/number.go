package coco

import (
	"bytes"
	"math"
	"strconv"
)

// number is a JSON number: whole means that i holds it exactly.
type number struct {
	f     float64
	i     int64
	whole bool
}

// isNumber reports whether a value that starts with c is a number or one of Python's NaN, Infinity, -Infinity.
func isNumber(c byte) bool { return c == '-' || c == 'N' || c == 'I' || '0' <= c && c <= '9' }

// num reads a number.
func (s *scanner) num() number {
	s.scanNumber()
	if s.err != nil {
		return number{}
	}
	switch s.tok[len(s.tok)-1] { // of the numbers, only NaN and Infinity end in a letter
	case 'N':
		return number{f: math.NaN()}
	case 'y':
		if s.tok[0] == '-' {
			return number{f: math.Inf(-1)}
		}
		return number{f: math.Inf(1)}
	}
	if i, ok := shortInteger(s.tok); ok {
		return number{f: float64(i), i: i, whole: true}
	}
	f, _ := strconv.ParseFloat(string(s.tok), 64) // out of range gives an infinity, as in Python
	n := number{f: f}
	if !bytes.ContainsAny(s.tok, ".eE") {
		if i, err := strconv.ParseInt(string(s.tok), 10, 64); err == nil {
			n.i, n.whole = i, true
			return n
		}
	}
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		n.i, n.whole = int64(f), true
	}
	return n
}

// shortInteger reads at most 18 digits, which cannot overflow.
func shortInteger(t []byte) (i int64, ok bool) {
	digits := bytes.TrimPrefix(t, []byte{'-'})
	if len(digits) > 18 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = 10*i + int64(c-'0')
	}
	if len(digits) < len(t) {
		i = -i
	}
	return i, true
}

// scanNumber reads the text of a number into tok and checks JSON's grammar. Inside captured text a NaN or Infinity
// becomes null, so that what is kept is JSON.
func (s *scanner) scanNumber() {
	s.peek() // past white space
	start := len(s.raw) + s.pos - s.rawFrom
	s.tok = s.tok[:0]
	for s.more() {
		window := s.buf[s.pos:s.end]
		n := 0
		for n < len(window) && inNumber[window[n]] {
			n++
		}
		s.tok = append(s.tok, window[:n]...)
		s.pos += n
		if len(s.tok) > 400 {
			s.fail("saw a number of more than 400 characters")
			return
		}
		if n < len(window) {
			break
		}
	}
	if s.err != nil {
		return
	}
	if !validNumber(s.tok) {
		s.fail("saw %s where JSON wants a number", short(s.tok))
		return
	}
	if last := s.tok[len(s.tok)-1]; last == 'N' || last == 'y' {
		s.nonFinite++
		if s.capturing && !s.glimpsing {
			s.raw = append(append(s.raw, s.buf[s.rawFrom:s.pos]...)[:start], "null"...)
			s.rawFrom = s.pos
		}
	}
}

// inNumber marks the characters of numbers and of words that are mistaken for them.
var inNumber = func() (set [256]bool) {
	for c := range set {
		set[c] = c == '-' || c == '+' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return set
}()

func validNumber(t []byte) bool {
	if len(t) > 0 && (t[len(t)-1] == 'N' || t[len(t)-1] == 'y') {
		return string(t) == "NaN" || string(t) == "Infinity" || string(t) == "-Infinity"
	}
	digits := func() bool {
		n := 0
		for n < len(t) && '0' <= t[n] && t[n] <= '9' {
			n++
		}
		t = t[n:]
		return n > 0
	}
	if len(t) > 0 && t[0] == '-' {
		t = t[1:]
	}
	if len(t) > 1 && t[0] == '0' && '0' <= t[1] && t[1] <= '9' {
		return false
	}
	if !digits() {
		return false
	}
	if len(t) > 0 && t[0] == '.' {
		t = t[1:]
		if !digits() {
			return false
		}
	}
	if len(t) > 0 && (t[0] == 'e' || t[0] == 'E') {
		t = t[1:]
		if len(t) > 0 && (t[0] == '+' || t[0] == '-') {
			t = t[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(t) == 0
}
