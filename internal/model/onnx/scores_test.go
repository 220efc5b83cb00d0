package onnx

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"retinago/detector"
)

// Candidates of a class that is below its own score take no place of another class: among the top_k of a level, and among the most detections.
func TestClassScores(t *testing.T) {
	dir := runtimeFolder(t)
	m, info := newModel(t, models["plain"])
	const h, w = 160, 128
	nhwc, nchw := images(1, h, w)
	var raw []byte
	for _, v := range nchw {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	own := []float64{.08, .97, .97}
	// kept are the scores of a model's detections that reach those of their classes.
	kept := func(info detector.Info) (scores []float64) {
		path := filepath.Join(t.TempDir(), "m.onnx")
		if _, err := Export(m, info, path, Options{H: h, W: w, Outputs: Detections}); err != nil {
			t.Fatal(err)
		}
		got := inRuntime(t, dir, path, "float32", raw, 1, 3, h, w)
		for i, v := range got["scores"].Data {
			if v >= own[int(got["labels"].Data[i])] {
				scores = append(scores, v)
			}
		}
		return scores
	}
	net, err := m.Net(1, h, w)
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := net.Run(nhwc)
	if err != nil {
		t.Fatal(err)
	}
	in := info.Config.Infer
	var want []float64
	for _, d := range m.Decode(outputs, 0, h, w, w, h, detector.Decoding{Scores: []float32{.08, .97, .97}, TopK: in.TopK, Method: in.Method, NMS: float32(in.NMS), MaxDets: in.MaxDetections}) {
		want = append(want, float64(d.Score))
	}
	if without := kept(info); len(without) >= len(want) {
		t.Fatalf("the case tests nothing: %d objects without scores of classes, %d with", len(without), len(want))
	}
	info.Scores = own
	got := kept(info)
	if !slices.IsSortedFunc(got, func(a, b float64) int { return int(math.Copysign(1, b-a)) }) {
		t.Errorf("scores are not best first: %v", got)
	}
	compare(t, "scores", output{Data: got}, output{Data: want})
}
