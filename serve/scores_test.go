package serve

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
)

// Requests without a score have the model's scores by class, which /v1/models lists; a request's score replaces them.
func TestStoredScores(t *testing.T) {
	from, err := tiny()
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, info, err := detector.Open(from, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	stored, want := make([]float64, len(info.Categories)), make([]float32, len(info.Categories))
	for i := range stored { // of all classes but the first, nothing reaches it
		stored[i], want[i] = .9, .9
	}
	stored[0], want[0] = .0101, .0101
	info.Scores = stored
	path := filepath.Join(t.TempDir(), "stored.safetensors")
	if err := m.Save(path, info); err != nil {
		t.Fatal(err)
	}
	p, err := infer.Load(path, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s := newServer(t, Options{Models: []Model{{"stored", p}, {"plain", load(t)}}})
	list := parse[struct{ Models []modelInfo }](t, ask(s.Handler(), "GET", "/v1/models", nil))
	if got := list.Models; !slices.Equal(got[0].Scores, want) || got[0].Score != .0101 || got[1].Scores != nil {
		t.Errorf("/v1/models has %+v", got)
	}
	classes := func(model, score string) (numbers []int) {
		a := parse[Answer](t, ask(s.Handler(), "POST", fmt.Sprintf("/v1/detect?max=10000&model=%s%s", model, score), noise(t, 120, 90)))
		for _, d := range a.Detections {
			numbers = append(numbers, int(d.Class))
		}
		return numbers
	}
	own, given, plain := classes("stored", ""), classes("stored", "&score=.0101"), classes("plain", "&score=.0101")
	if len(own) == 0 || slices.Max(own) > 0 {
		t.Errorf("without a score: classes %v", own)
	}
	if !slices.Equal(given, plain) || slices.Max(given) == 0 {
		t.Errorf("a request's score: classes %v, of a model without scores %v", given, plain)
	}
	if got := common(detector.Decoding{Score: .3, Scores: []float32{.1, 2, .5}}); !slices.Equal(got, []float32{.3, 2, .3}) {
		t.Errorf("a class that is not reported: %v", got)
	}
}
