package main

import (
	"io"
	"strings"
	"testing"
)

// Bare arguments may stand anywhere between the flags.
func TestBareArguments(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for line, want := range map[string]string{
		"detect m p":                        "detect -weights m -source p",
		"detect m p q -out o":               "detect -out o -weights m -source p -source q",
		"detect m -out o p q":               "detect -out o -weights m -source p -source q",
		"detect -out o m p":                 "detect -out o -weights m -source p",
		"detect p -weights m -out o":        "detect -weights m -out o -source p",
		"detect -weights=m p -out=o q":      "detect -weights=m -out=o -source p -source q",
		"detect -flip m -score .3 p -times": "detect -flip -score .3 -times -weights m -source p",
		"detect m -source a b -out o":       "detect -source a -source b -out o -weights m",
		"detect --source a - m":             "detect --source a --source - --source m",
		"detect m - -retries -1":            "detect -retries -1 -weights m -source -",
		"detect m -out o -- -p":             "detect -out o -weights m -source -p",
		"eval -json f RUN":                  "eval -json f -weights RUN",
		"eval -errors RUN -json f":          "eval -errors -json f -weights RUN",
		"eval RUN -weights m":               "eval -weights m RUN",
		"serve -addr :80 m":                 "serve -addr :80 -weights m",
		"export -out x.onnx m -preprocess":  "export -out x.onnx -preprocess -weights m",
		"train -batch 2 d":                  "train -batch 2 -data d",
		"train -resume r":                   "train -resume -out r",
		"train -resume -extend -epochs 3 r": "train -resume -extend -epochs 3 -out r",
		"train r -resume":                   "train -resume -out r",
		"train -resume -out r":              "train -resume -out r",
		"data check -images i d":            "data check -images i -data d",
		"weights fetch -out x resnet":       "weights fetch -out x -name resnet",
		"anchors show r":                    "anchors show -config r",
		"data merge a b":                    "data merge a b",
		"detect -unknown m p":               "detect -unknown -weights m -source p",
		"detect -score":                     "detect -score",
		"data":                              "data",
	} {
		got := joinLists(nameBare(app.Commands, strings.Fields("retinago "+line)))
		if have := strings.Join(got[1:], " "); have != want {
			t.Errorf("%s\n  is %s\nwant %s", line, have, want)
		}
	}
}

// The flag prints what the verb prints.
func TestVersionFlag(t *testing.T) {
	want := ok(t, "version")
	for _, flag := range []string{"-version", "--version"} {
		if got := ok(t, flag); got != want {
			t.Errorf("%s: %s", flag, got)
		}
	}
}
