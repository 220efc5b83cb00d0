package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	for _, k := range [][2]string{
		{"convert: there is no x", "there is no x"},
		{"data shapes: shapes: too many", "data shapes: too many"},
		{"-val: convert: coco: there is no x\nconvert: nor y", "-val: there is no x\nnor y"},
		{"data convert: -to x", "data convert: -to x"},
		{`a.json: split "convert": absent`, `a.json: split "convert": absent`},
	} {
		if got := message(errors.New(k[0])); got != k[1] {
			t.Errorf("%q, want %q", got, k[1])
		}
	}
}

// Errors of datasets come without the names of packages.
func TestErrorsWithoutPackages(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for _, args := range []string{"data check " + absent, "data stats " + absent, "train -data " + absent, "data shapes -size 1 -out " + absent} {
		code, out := call(t, strings.Fields(args)...)
		if code == 0 || strings.Contains(out, "convert: ") || strings.Contains(out, "shapes: shapes: ") {
			t.Errorf("%s: exit code %d: %s", args, code, out)
		}
	}
}
