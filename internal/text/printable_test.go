package text

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                     "",
		"Straße 街 🚲":           "Straße 街 🚲",
		"a\x1b[2Jb":            `a\x1b[2Jb`,
		"a\nb\tc\rd\x00\x7f":   `a\nb\tc\rd\x00\u007f`,
		"\u009b31m":            `\u009b31m`,
		"abc\u202egnp.exe":     `abc\u202egnp.exe`,
		"\u2066x\u2069\u200f!": `\u2066x\u2069\u200f!`,
		"\xff\xc3(":            `\xff\xc3(`,
		"\uFFFD stays":         "\uFFFD stays",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// A writer keeps lines and tabs, whole characters over the ends of its calls, and what JSON says.
func TestWriter(t *testing.T) {
	t.Parallel()
	const in = "a\x1b]0;x\x07\tb\u009bc\n街\xff \u202e\n"
	const want = "a\\x1b]0;x\\x07\tb\\u009bc\n街\\xff \\u202e\n"
	for _, size := range []int{1, 2, 3, 5, len(in)} {
		var out bytes.Buffer
		w := NewWriter(&out)
		for b := []byte(in); len(b) > 0; {
			n, err := w.Write(b[:min(size, len(b))])
			if err != nil || n != min(size, len(b)) {
				t.Fatal(n, err)
			}
			b = b[n:]
		}
		if w.Flush(); out.String() != want {
			t.Errorf("in parts of %d bytes: %q", size, out.String())
		}
	}
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Write([]byte("a\xe8\xa1"))
	if w.Flush(); out.String() != `a\xe8\xa1` {
		t.Errorf("a character cut at the end: %q", out.String())
	}
	out.Reset()
	name := "x\x1b\u009b\u202e\n\x7f"
	if err := json.NewEncoder(w).Encode(name); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != name {
		t.Errorf("JSON: %s: %q, %v", out.String(), back, err)
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "@x": "'@x", "+x": "'+x", "-dog": "'-dog", "\tx": "'\tx", "\rx": "'\rx", "-": "'-", "'=x": "''=x",
		"-1.5": "-1.5", "+3e5": "+3e5", "cat": "cat", "'s": "'s", "": "", "a=b": "a=b", "'": "'",
	} {
		if got := Cell(in); got != want || FromCell(got) != in {
			t.Errorf("%q: %q, want %q; read %q", in, got, want, FromCell(got))
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Write([]string{Cell(in), "x"})
		w.Flush()
		if r, err := csv.NewReader(strings.NewReader(b.String())).Read(); err != nil || FromCell(r[0]) != in {
			t.Errorf("%q: read %q, %v", in, r, err)
		}
	}
}
