package infer

import (
	"path/filepath"
	"slices"
	"testing"

	"retinago/detector"
	"retinago/engine/cpu"
)

// withScores is a copy of the model of a file that stores scores by class.
func withScores(t *testing.T, from string, scores []float64) string {
	t.Helper()
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
	info.Scores = scores
	path := filepath.Join(t.TempDir(), "stored.safetensors")
	if err := m.Save(path, info); err != nil {
		t.Fatal(err)
	}
	return path
}

// A model's own scores are used where the caller gives none. A given score replaces all of them, that of a class its own alone.
func TestStoredScores(t *testing.T) {
	plain, err := save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path, equal := withScores(t, plain, []float64{.012, 0, .3, .0101}), withScores(t, plain, []float64{.2, .2, .2, .2})
	score := .25
	for name, k := range map[string]struct {
		path   string
		o      Options
		score  float32
		scores []float32
	}{
		"none stored":            {plain, Options{}, .05, nil},
		"stored":                 {path, Options{}, .0101, []float32{.012, .5, .3, .0101}},
		"the same for all":       {equal, Options{}, .2, nil},
		"given":                  {path, Options{Score: &score}, .25, nil},
		"given for a class":      {path, Options{Choice: Choice{Scores: map[string]float64{"square": .1}}}, .0101, []float32{.012, .1, .3, .0101}},
		"classes":                {path, Options{Choice: Choice{Classes: []string{"triangle,circle"}}}, .0101, []float32{.012, 2, .3, 2}},
		"given, and classes":     {path, Options{Score: &score, Choice: Choice{Classes: []string{"circle"}}}, .25, []float32{.25, 2, 2, 2}},
		"none stored, a class's": {plain, Options{Choice: Choice{Scores: map[string]float64{"star": .4}}}, .05, []float32{.05, .05, .05, .4}},
	} {
		p, err := Load(k.path, k.o)
		if err != nil {
			t.Fatal(err)
		}
		if d := p.Decoding(); d.Score != k.score || !slices.Equal(d.Scores, k.scores) {
			t.Errorf("%s: score %g, by class %v; want %g, %v", name, d.Score, d.Scores, k.score, k.scores)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	all, err := load(t, low()).Predict(t.Context(), noise(96, 90))
	if err != nil {
		t.Fatal(err)
	}
	top := map[string]float64{}
	for _, d := range all {
		top[d.Category.Name] = max(top[d.Category.Name], float64(d.Score))
	}
	// Circles from just below their best on, stars from just above theirs on.
	p, err := Load(withScores(t, plain, []float64{.999 * top["circle"], .9, .9, 1.001 * top["star"]}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	found, err := p.Predict(t.Context(), noise(96, 90))
	if err != nil || len(found) == 0 || slices.ContainsFunc(found, func(d Detection) bool { return d.Category.Name != "circle" }) {
		t.Errorf("%v (%v); want circles alone, best scores %v", found, err, top)
	}
	if found, err := p.Predict(t.Context(), noise(96, 90), WithScore(.001)); err != nil || len(found) != len(all) {
		t.Errorf("%d detections with a score for the call, want %d (%v)", len(found), len(all), err)
	}
}
