package pty

import (
	"slices"
	"testing"
)

func TestRows(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                         {""},
		"a\r\nb":                   {"a", "b"},
		"step 10\rab\x1b[K\r\nend": {"ab", "end"},
		"long\rab":                 {"abng"},
		"Straße\r\x1b[K街":          {"街"},
	} {
		if got, err := Rows(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"\x1b[31mred", "\x1b[2J", "\a"} {
		if _, err := Rows(in); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}
