package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkQuantize makes int8 checkpoints, and uses one by every verb that reads checkpoints.
func checkQuantize(t *testing.T, best, dir string) {
	t.Helper()
	val, images := filepath.Join(dir, "val.json"), filepath.Join(dir, "val")
	tmp := t.TempDir()
	out, other := filepath.Join(tmp, "int8.safetensors"), filepath.Join(tmp, "other.safetensors")
	wants(t, ok(t, "quantize", "-weights", best, "-images", images, "-out", out), out, "ranges by entropy on 4 images", "float: backbone.body.conv1 head.regression_head.bbox_reg head.classification_head.cls_logits")
	wants(t, ok(t, "quantize", "-weights", best, "-data", val, "-images", images, "-out", other, "-count", "2", "-percentile", "99.9", "-float", "none"), "percentile 99.9 on 2 images", "float: \n")
	wants(t, ok(t, "eval", "-weights", out, "-data", val, "-images", images), "Average Precision")
	wants(t, ok(t, "detect", "-weights", other, "-source", images, "-json", filepath.Join(tmp, "d.json"), "-score", ".01"), "4 images")
	wants(t, ok(t, "weights", "inspect", out), "I8", "weight_scale", "int8: ")
	wants(t, ok(t, "summary", "-weights", out), "int8", "memory for activations", "entropy")
	wants(t, ok(t, "summary", "-weights", best), "GFLOP", "memory for training")
	wants(t, ok(t, "export", "-weights", out, "-to", "onnx", "-out", filepath.Join(tmp, "net.onnx")), "rounded to 8 bits")

	empty, broken := filepath.Join(tmp, "empty"), filepath.Join(tmp, "broken")
	for _, d := range []string{empty, broken} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bad := write(t, filepath.Join(broken, "a.jpg"), "no picture")
	for _, k := range []struct {
		code  int
		args  []string
		wants []string
	}{
		{1, []string{"-weights", out, "-images", images}, []string{out, "int8 already"}},
		{1, []string{"-weights", best, "-images", empty}, []string{empty, "no images"}},
		{1, []string{"-weights", best, "-images", broken}, []string{bad, "none of 1 images"}},
		{1, []string{"-weights", best, "-images", images, "-float", "haed"}, []string{"haed", "head.classification_head"}},
		{1, []string{"-weights", val, "-images", images}, []string{val}},
		{2, []string{"-weights", best, "-images", images, "-out", best}, []string{"float checkpoint itself"}},
		{1, []string{"-weights", best, "-images", images, "-out", filepath.Join(tmp, "absent", "x")}, []string{"absent"}},
		{2, []string{"-weights", best}, []string{"-images", "-data"}},
		{2, []string{"-weights", best, "-images", images, "-split", "val"}, []string{"-split"}},
		{2, []string{"-weights", best, "-images", images, "-range", "widest"}, []string{"widest", "entropy"}},
		{2, []string{"-weights", best, "-images", images, "-percentile", "101"}, []string{"101"}},
		{2, []string{"-weights", best, "-images", images, "-range", "minmax", "-percentile", "99"}, []string{"-percentile"}},
		{2, []string{"-weights", best, "-images", images, "-count", "0"}, []string{"-count 0"}},
	} {
		code, text := call(t, append([]string{"quantize", "-out", filepath.Join(tmp, "x.safetensors")}, k.args...)...)
		if code != k.code {
			t.Errorf("quantize %s: exit code %d, want %d\n%s", strings.Join(k.args, " "), code, k.code, text)
		}
		wants(t, text, k.wants...)
	}
	code, text := call(t, append([]string{"train", "-out", filepath.Join(tmp, "run")}, tiny(dir, "train.init_weights="+out)...)...)
	if code != 1 {
		t.Errorf("training from int8: exit code %d", code)
	}
	wants(t, text, "I8", "float file")
	code, text = call(t, "export", "-weights", out, "-to", "torchvision", "-out", other)
	if code != 1 {
		t.Errorf("export of int8 to torchvision: exit code %d", code)
	}
	wants(t, text, "I8", "float file")
}
