package onnx

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"text/template"

	"retinago/detector"
	"retinago/internal/file"
)

//go:embed example
var exampleFiles embed.FS

// webVersion is that of onnxruntime-web, which the page loads.
const webVersion = "1.30.0"

// exampleEndings are those of the examples beside a model, in the order of their use: a program in Python, one for Node.js, a page.
var exampleEndings = []string{".py", ".mjs", ".html"}

// ExamplePaths returns the paths of the examples of a model: its own path with other endings.
func ExamplePaths(model string) (paths []string) {
	stem := strings.TrimSuffix(model, filepath.Ext(model))
	for _, ending := range exampleEndings {
		paths = append(paths, stem+ending)
	}
	return paths
}

// WriteExamples writes, beside an exported model, programs that load it and detect objects in an image: ExamplePaths. scores are the least
// scores to report, by class. Raw outputs, fixed batches of several images, and boxes for an NMS method other than greedy and agnostic have
// no examples.
func WriteExamples(info detector.Info, model string, scores []float32, o Options) error {
	if err := HasExamples(info, o); err != nil {
		return err
	}
	paths := ExamplePaths(model)
	d, in := info.Config.Data, info.Config.Infer
	values := map[string]any{
		"Model": filepath.Base(model), "Module": "./" + url.PathEscape(filepath.Base(paths[1])), "Web": webVersion,
		"Classes": classNames(info), "Scores": scores, "NMS": in.NMS, "Max": in.MaxDetections, "Agnostic": in.Method == "agnostic",
		"Mean": d.Mean, "Std": d.Std, "Short": d.TestSide(), "Long": d.MaxSide, "Multiple": d.CanvasMultiple,
		"H": o.H, "W": o.W, "Boxes": o.Outputs == Boxes, "Preprocess": o.Preprocess,
	}
	if o.Dynamic {
		values["H"], values["W"] = 0, 0
	}
	for i, ending := range exampleEndings {
		b, err := fill("detect"+ending, values)
		if err != nil {
			return fmt.Errorf("onnx: the example %s: %w", paths[i], err)
		}
		if err := file.WriteBytes(paths[i], b); err != nil {
			return fmt.Errorf("onnx: %w", err)
		}
	}
	return nil
}

// HasExamples is the error of an export for which there are no examples.
func HasExamples(info detector.Info, o Options) error {
	method := info.Config.Infer.Method
	switch {
	case o.Outputs != Boxes && o.Outputs != Detections:
		return fmt.Errorf("onnx: examples for outputs %s: they would need the anchors; export %s or %s", Raw, Detections, Boxes)
	case o.Batch > 1 && !o.Dynamic:
		return fmt.Errorf("onnx: examples for a batch of %d: they take one image; export a batch of 1", o.Batch)
	case method != "greedy" && method != "agnostic":
		return fmt.Errorf("onnx: examples for infer.method %s: they have greedy and agnostic NMS only", method)
	}
	return nil
}

// fill returns an example with its values.
func fill(name string, values map[string]any) ([]byte, error) {
	funcs := template.FuncMap{"json": func(v any) (string, error) {
		b, err := json.Marshal(v) // Python and JavaScript read it as their own
		return string(b), err
	}}
	t, err := template.New(name).Funcs(funcs).ParseFS(exampleFiles, "example/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
