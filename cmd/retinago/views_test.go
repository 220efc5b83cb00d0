package main

import (
	"path/filepath"
	"testing"

	"retinago/config"
)

// Measuring a model in views gives the numbers of what detection with the same views finds, to the digit.
func TestEvalViews(t *testing.T) {
	dir, tmp := shapes(t), t.TempDir()
	model, data, images := filepath.Join(tmp, "m.safetensors"), filepath.Join(dir, "train.json"), filepath.Join(dir, "train")
	seeded(t, model, func(c *config.Config) {
		c.Model.Classes, c.Model.CategoryIDs = []string{"circle", "square"}, []int64{1, 2}
		c.Infer.Score = .001
	})
	gt := filepath.Join(tmp, "gt.json") // what the model knows
	ok(t, "data", "subset", "-data", data, "-classes", "circle,square", "-empty", "-out", gt)
	numbers := map[string]string{}
	for name, flags := range map[string][]string{
		"whole":  nil,
		"flip":   {"-flip"},
		"scales": {"-scales", "1,1.5"},
		"tiles":  {"-tile", "48", "-overlap", ".25"},
		"all":    {"-tile", "64", "-flip", "-scales", ".75,1", "-merge", "nms"},
	} {
		found, results := filepath.Join(tmp, name+"-found.json"), filepath.Join(tmp, name+"-results.json")
		measured, again := filepath.Join(tmp, name+"-measured.json"), filepath.Join(tmp, name+"-again.json")
		wants(t, ok(t, append([]string{"eval", "-weights", model, "-data", gt, "-images", images, "-json", measured, "-results", results}, flags...)...), "12 images in")
		numbers[text(t, measured)] = name
		if name == "all" {
			page := filepath.Join(tmp, "report.html")
			ok(t, append([]string{"eval", "-weights", model, "-data", gt, "-images", images, "-report", page}, flags...)...)
			wants(t, text(t, page), "Model "+model+" on "+gt+", -flip true, -scales .75,1, -tile 64, -merge nms, images in "+images)
		}
		if name == "whole" { // whose images go through the network in batches
			continue
		}
		ok(t, append([]string{"detect", "-weights", model, "-source", images, "-data", gt, "-images", images, "-score", ".001", "-convolutions", "fixed", "-json", found}, flags...)...)
		ok(t, "eval", "-gt", gt, "-dt", found, "-json", again)
		if text(t, measured) != text(t, again) {
			t.Errorf("%s: eval measures %s, of what detect finds %s", name, text(t, measured), text(t, again))
		}
		if text(t, results) != text(t, found) {
			t.Errorf("%s: eval and detect find different objects", name)
		}
	}
	if len(numbers) != 5 {
		t.Errorf("of five choices of views, some have the same numbers: %v", len(numbers))
	}
	for _, k := range []struct {
		args []string
		want string
	}{
		{[]string{"-weights", model, "-data", gt, "-overlap", ".1"}, "-tile"},
		{[]string{"-weights", model, "-data", gt, "-merge", "nms"}, "-flip"},
		{[]string{"-weights", model, "-data", gt, "-tile", "8"}, "32"},
		{[]string{"-weights", model, "-data", gt, "-scales", "a"}, "number"},
		{[]string{"-gt", gt, "-dt", gt, "-tile", "64"}, "-weights"},
	} {
		code, out := call(t, append([]string{"eval"}, k.args...)...)
		if code != 2 {
			t.Errorf("eval %v: exit code %d", k.args, code)
		}
		wants(t, out, k.want)
	}
}
