package config

import (
	"testing"
)

// Whatever a text is, reading it ends with a configuration or an error, and what is read is written and read again the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Default().String()))
	f.Add([]byte("train: {epochs: 3}\nmodel: {classes: [a, b], category_ids: [1, 2]}\n"))
	f.Add([]byte("model: &m {anchors: *m}\n"))
	f.Add([]byte("data: {short_sides: [.nan, 1e400, 0x7fffffffffffffff, 1_0, -0, ~]}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("--- !!binary x\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			t.Skip("long texts are of TestHostileText")
		}
		c, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		c.Warnings()
		written := c.String()
		again, err := Parse("fuzz", []byte(written))
		if err != nil {
			t.Fatalf("what was read does not read back: %v\n%s", err, written)
		}
		if again.String() != written {
			t.Fatalf("read back as\n%s\nnot\n%s", again.String(), written)
		}
		if s := c.Data; s.TestSide() > MaxSide || s.MaxSide+s.CanvasMultiple > 2*MaxSide || c.Model.FPNWidth > maxFPNWidth || c.Model.Anchors.PerCell()*len(c.Model.Classes) > maxOutputs {
			t.Fatalf("a valid configuration beyond the bounds:\n%s", written)
		}
	})
}
