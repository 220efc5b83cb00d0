package picture

import (
	"strings"
	"testing"
)

func TestClassName(t *testing.T) {
	for name, want := range map[string]string{
		"cat":                            "cat",
		"\u043a\u043e\u0448\u043a\u0430": "\u043a\u043e\u0448\u043a\u0430", // Cyrillic
		"\u03b3\u03ac\u03c4\u03b1":       "\u03b3\u03ac\u03c4\u03b1",       // Greek
		"\u00f1and\u00fa":                "\u00f1and\u00fa",
		"nandu\u0301":                    "nand\u00fa", // an accent of its own
		"\u732b":                         "class 7",    // Han
		"cat \u732b":                     "class 7",
		"\u062d\u0635\u0627\u0646":       "class 7", // Arabic
		"a\nb":                           `a\nb`,
		"":                               "",
	} {
		if got := ClassName(name, 7); got != want {
			t.Errorf("%q is drawn as %q, want %q", name, got, want)
		}
	}
	if got := ClassName(strings.Repeat("\u00e9", 500), 7); len(got) > 70 || !strings.HasSuffix(got, "\u00e9...") {
		t.Errorf("a long name is drawn as %q", got)
	}
}
