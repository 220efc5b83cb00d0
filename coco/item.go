package coco

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// item reads the typed members of one object of a list and collects what is wrong with them.
type item struct {
	s       *scanner
	faults  *faults
	path    string
	section string // the list: "images"; empty between lists
	index   int
	start   int64 // byte offset of the object
	id      int64
	hasID   bool
	pending []string // faults of this object; its id may come after them
	unsaid  int      // faults of this object that are only counted
	texts   int      // numbers that are written as texts
	named   int      // ids that are texts without being numbers
}

func (t *item) begin(i int) {
	t.s.peek() // past white space
	t.index, t.start, t.id, t.hasID, t.pending, t.unsaid = i, t.s.offset(), 0, false, t.pending[:0], 0
}

// flush hands the faults of this object on, now that its id is known.
func (t *item) flush() {
	for _, p := range t.pending {
		t.faults.add("%s: %s: %s", t.path, t.where(), p)
	}
	t.faults.more += t.unsaid
	t.pending, t.unsaid = t.pending[:0], 0
}

// where is "annotations[3] (id 17, byte 420)".
func (t *item) where() string {
	if t.hasID {
		return itemName(t.section, t.index, t.id, t.start)
	}
	return fmt.Sprintf("%s[%d] (byte %d)", t.section, t.index, t.start)
}

// finish turns a syntax error or a truncation into one that names the place, and joins it with the others.
func (t *item) finish() error {
	if t.s.err == nil {
		return t.faults.err()
	}
	t.flush()
	place := fmt.Sprintf("at byte %d", t.s.offset())
	if t.section != "" && t.index >= 0 {
		place += fmt.Sprintf(", in %s[%d]", t.section, t.index)
	}
	switch {
	case errors.Is(t.s.err, errTruncated) && t.s.offset() == 0:
		t.faults.add("%s: the file is empty: copy or write it again", t.path)
	case errors.Is(t.s.err, errTruncated):
		t.faults.add("%s: %s: the JSON ends too soon, the file is truncated: copy or download it again", t.path, place)
	case strings.HasPrefix(t.s.err.Error(), "saw ") || strings.HasPrefix(t.s.err.Error(), "more than "):
		t.faults.add("%s: %s: not valid JSON: %w; correct the file there, or write it again as UTF-8 JSON", t.path, place, t.s.err)
	default:
		t.faults.add("%s: %s: reading failed: %w", t.path, place, t.s.err)
	}
	return t.faults.err()
}

// sound reports whether the file and this object are without faults so far. Nothing of a faulty file is kept.
func (t *item) sound() bool { return len(t.faults.list)+len(t.pending) == 0 } // unsaid ones come after others

func (t *item) need(ok bool, key string) {
	if !ok && t.s.err == nil {
		t.fault("has no %q: add it", key)
	}
}

func (t *item) fault(format string, args ...any) {
	if t.faults.full() || len(t.pending) == maxFaults {
		t.unsaid++
		return
	}
	t.pending = append(t.pending, fmt.Sprintf(format, args...))
}

// wrong reports and skips a value of a wrong type.
func (t *item) wrong(key, want string) {
	if key != "" {
		key += ": "
	}
	if seen := t.seen(); t.s.err == nil {
		t.fault("%swant %s, saw %s; correct it", key, want, seen)
	}
}

// seen skips a value and describes it.
func (t *item) seen() string {
	text := t.s.glance()
	switch {
	case t.s.err != nil:
		return ""
	case text[0] == '"':
		return "the string " + short(text)
	case text[0] == '[':
		return "the list " + short(text)
	case text[0] == '{':
		return "the object " + short(text)
	}
	return short(text)
}

func (t *item) identity() int64 {
	id := t.integer("id")
	t.id, t.hasID = id, true // a wrong type is reported once, not as missing too
	return id
}

// nameID is the id of a text that is no number: a number made of its letters, so that it is the same in all files. It is at least 2^52, beyond
// the ids that people give, and below 2^53, so that every program can hold it.
func nameID(text []byte) int64 {
	h := fnv.New64a()
	h.Write(text)
	return int64(h.Sum64()&(1<<52-1) | 1<<52)
}

// integer accepts 3, 3.0 and "3", and other texts as ids: see nameID.
func (t *item) integer(key string) int64 {
	if c := t.s.peek(); t.s.err == nil && c == '"' {
		t.s.str()
		text := bytes.TrimSpace(t.s.tok)
		if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			t.texts++
			return i
		}
		if len(text) == 0 && t.s.err == nil {
			t.fault("%s: want an integer, saw an empty text; correct it", key)
		}
		t.named++
		return nameID(text)
	} else if t.s.err == nil && !isNumber(c) {
		t.wrong(key, "an integer")
		return 0
	}
	n := t.s.num()
	if t.s.err == nil && !n.whole {
		t.fault("%s: want an integer, saw %s; correct it", key, short(t.s.tok))
	}
	return n.i
}

// size is an image's width or height; null and NaN count as unknown, 0.
func (t *item) size(key string) int {
	switch c := t.s.peek(); {
	case t.s.err != nil:
		return 0
	case c == 'n':
		t.s.word("null")
		return 0
	case c == '"':
		t.s.str()
		v, ok := t.written()
		if t.s.err == nil && (!ok || v != math.Trunc(v) || math.Abs(v) > math.MaxInt32) {
			t.fault("%s: want an integer, saw the string %q; correct it", key, short(t.s.tok))
			return 0
		}
		return int(v)
	case !isNumber(c):
		t.wrong(key, "an integer")
		return 0
	}
	n := t.s.num()
	if math.IsNaN(n.f) || math.IsInf(n.f, 0) {
		return 0
	}
	if t.s.err == nil && (!n.whole || n.i > math.MaxInt32 || n.i < math.MinInt32) {
		t.fault("%s: want an integer of pixels, saw %s; correct it", key, short(t.s.tok))
		return 0
	}
	return int(n.i)
}

// written is the number that the text just read holds.
func (t *item) written() (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(string(t.s.tok)), 64)
	if err != nil || !finite(v) {
		return 0, false
	}
	t.texts++
	return v, true
}

// real reads a number, also one that is written as a text. What programs write for a number that is not finite (NaN, Infinity, null, "NaN") gives
// NaN or an infinity: a fault of the data that Check finds.
func (t *item) real(key string) float64 {
	switch c := t.s.peek(); {
	case t.s.err != nil:
		return 0
	case isNumber(c):
		return t.s.num().f
	case c == 'n':
		t.s.word("null")
		return math.NaN()
	case c != '"':
		t.wrong(key, "a number")
		return 0
	}
	t.s.str()
	switch strings.ToLower(strings.TrimLeft(string(t.s.tok), "+-")) {
	case "nan", "inf", "infinity":
		return math.NaN()
	}
	if v, ok := t.written(); ok {
		return v
	}
	if t.s.err == nil {
		t.fault("%s: want a number, saw the string %q; correct it", key, short(t.s.tok))
	}
	return 0
}

// flag reads 0, 1, false or true, also as a text, and null, which is false.
func (t *item) flag(key string) bool {
	switch c := t.s.peek(); {
	case t.s.err != nil:
	case c == 'n':
		t.s.word("null")
	case c == '"':
		t.s.str()
		v, err := strconv.ParseBool(strings.TrimSpace(string(t.s.tok)))
		if t.s.err == nil && err != nil {
			t.fault("%s: want 0 or 1, saw the string %q; correct it", key, short(t.s.tok))
		}
		t.texts++
		return v
	case c == 't':
		t.s.word("true")
		return true
	case c == 'f':
		t.s.word("false")
	case !isNumber(c):
		t.wrong(key, "0 or 1")
	default:
		n := t.s.num()
		if t.s.err == nil && (!n.whole || n.i != 0 && n.i != 1) {
			t.fault("%s: want 0 or 1, saw %s; correct it", key, short(t.s.tok))
		}
		return n.i == 1
	}
	return false
}

// text reads a string; null counts as empty.
func (t *item) text(key string) string {
	switch c := t.s.peek(); {
	case t.s.err != nil:
		return ""
	case c == 'n':
		t.s.word("null")
		return ""
	case c != '"':
		t.wrong(key, "a string")
		return ""
	}
	t.s.str()
	if !utf8.Valid(t.s.tok) {
		t.fault("%s: saw %q, which is not UTF-8; write the file as UTF-8", key, short(t.s.tok))
		return ""
	}
	return string(t.s.tok)
}

// box reads [x, y, width, height]; null gives four NaN.
func (t *item) box() (b [4]float64) {
	const want = "4 numbers [x, y, width, height]"
	switch c := t.s.peek(); {
	case t.s.err != nil:
		return b
	case c == 'n':
		t.s.word("null")
		return [4]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	case c != '[':
		t.wrong("bbox", want)
		return b
	}
	n := 0
	t.s.array(func(i int) {
		if n++; i < 4 {
			b[i] = t.real("bbox")
		} else {
			t.s.skip()
		}
	})
	if t.s.err == nil && n != 4 {
		t.fault("bbox: want %s, saw %d; correct it", want, n)
	}
	return b
}
