package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The ending of -out decides the form, -to that of other names, and the two do not contradict each other.
func TestExportForm(t *testing.T) {
	for _, k := range []struct {
		to, out, want string
		errs          []string // what the error says
	}{
		{"", "a.onnx", "onnx", nil},
		{"", "a.ONNX", "onnx", nil},
		{"onnx", "a.onnx", "onnx", nil},
		{"onnx", "a", "onnx", nil},
		{"onnx", "a.bin", "onnx", nil},
		{"", "a.safetensors", "torchvision", nil},
		{"torchvision", "a.safetensors", "torchvision", nil},
		{"", "onnx", "torchvision", nil},
		{"torchvision", "a.onnx", "", []string{"-to torchvision", "-out a.onnx"}},
		{"onnx", "a.safetensors", "", []string{"-to onnx", "-out a.safetensors"}},
		{"onnx", "a.pth", "", []string{"-to onnx", "-out a.pth"}},
		{"", "a.pth", "", []string{"-out a.pth", ".safetensors"}},
		{"torchvision", "a.pt", "", []string{"-out a.pt", ".safetensors"}},
		{"torchvision", "a.bin", "torchvision", nil},
		{"", "a.foo", "", []string{"-out a.foo", ".onnx", ".safetensors", "-to torchvision"}},
		{"", "dir.x/a.ONX", "", []string{".onx", "-to onnx"}},
		{"", "dir.x/a", "torchvision", nil},
		{"caffe", "a.onnx", "", []string{"caffe", "torchvision", "onnx"}},
	} {
		got, err := exportForm(k.to, k.out)
		if got != k.want || (err != nil) != (k.errs != nil) {
			t.Errorf("-to %q -out %s: %q and %v, want %q", k.to, k.out, got, err, k.want)
			continue
		}
		for _, w := range k.errs {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("-to %q -out %s: %v lacks %q", k.to, k.out, err, w)
			}
		}
	}
}

// A file whose name ends with .onnx is an ONNX model without -to; options of ONNX alone are refused for other files.
func TestExportByEnding(t *testing.T) {
	dir := t.TempDir()
	model, out := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "net.onnx")
	seeded(t, model)
	wants(t, ok(t, "export", model, "-size", "64x96", "-out", out), out, "64x96", "an ONNX model")
	if content := text(t, out); !strings.Contains(content, "Conv_1") {
		t.Error("the file is no ONNX model")
	}
	wants(t, ok(t, "export", model, "-out", filepath.Join(dir, "t.safetensors")), "torchvision's tensors as safetensors")
	code, text := call(t, "export", model, "-size", "64x96", "-out", filepath.Join(dir, "net.safetensors"))
	if code != exitUsage {
		t.Errorf("-size for torchvision: exit code %d", code)
	}
	wants(t, text, "-size is for ONNX", ".onnx")
}
