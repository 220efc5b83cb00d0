package onnx

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every form of an export has examples that Python and Node.js can parse, with names of any characters; other forms have none, and say why.
func TestExamples(t *testing.T) {
	_, info := newModel(t, models["plain"])
	info.Categories[0].Name = "a \"wet\" \\ </script> {{cat}}\n\u2028'"
	stem := filepath.Join(t.TempDir(), `it's "a" net`)
	for _, o := range []Options{
		{H: 64, W: 96, Outputs: Boxes}, {Dynamic: true, Outputs: Boxes}, {H: 64, W: 96, Outputs: Detections}, {Dynamic: true, Outputs: Detections},
		{H: 64, W: 96, Outputs: Boxes, Preprocess: true}, {Dynamic: true, Outputs: Detections, Preprocess: true},
	} {
		for _, method := range []string{"greedy", "agnostic"} {
			info.Config.Infer.Method = method
			if err := WriteExamples(info, stem+".onnx", []float32{.25, .5, .75}, o); err != nil {
				t.Fatal(err)
			}
			for _, ending := range exampleEndings {
				b, err := os.ReadFile(stem + ending)
				if err != nil {
					t.Fatal(err)
				}
				text := string(b)
				if ending != ".html" && (!strings.Contains(text, "[0.25,0.5,0.75]") || !strings.Contains(text, `"it's \"a\" net.onnx"`)) {
					t.Errorf("%+v: scores or model are missing in %s", o, text)
				}
				if strings.Contains(text, "<no value>") || strings.Contains(text, "{{if") || strings.Contains(text, "</script> {{cat") {
					t.Errorf("%+v: the template shows in %s", o, text)
				}
			}
			for _, parse := range [][]string{{"node", "--check", stem + ".mjs"}, {"python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", stem + ".py"}} {
				if _, err := exec.LookPath(parse[0]); err != nil {
					t.Logf("%s is not here", parse[0])
					continue
				}
				if out, err := exec.Command(parse[0], parse[1:]...).CombinedOutput(); err != nil {
					t.Errorf("%+v: %v: %v\n%s", o, parse, err, out)
				}
			}
		}
	}
	info.Config.Infer.Method = "greedy"
	soft := info
	soft.Config.Infer.Method = "soft-gaussian"
	for want, err := range map[string]error{
		"raw":           WriteExamples(info, stem+".onnx", nil, Options{Dynamic: true, Outputs: Raw}),
		"batch of 2":    WriteExamples(info, stem+".onnx", nil, Options{H: 64, W: 96, Batch: 2, Outputs: Boxes}),
		"soft-gaussian": WriteExamples(soft, stem+".onnx", nil, Options{Dynamic: true, Outputs: Boxes}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
