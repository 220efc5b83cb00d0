package train

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
	"retinago/internal/dataset/data"
)

// The scores of the best F1 are rounded down to thousandths; a class in which nothing was found has 0.
func TestBestScores(t *testing.T) {
	curve := func(score, f1 float64) coco.ScoreCurve {
		return coco.ScoreCurve{Objects: 2, Best: coco.ScorePoint{Score: score, F1: f1}}
	}
	for _, k := range []struct {
		classes []coco.ScoreCurve
		want    []float64
	}{
		{[]coco.ScoreCurve{curve(.62499, .8), curve(0, 0), curve(.31, .1)}, []float64{.624, 0, .31}},
		{[]coco.ScoreCurve{curve(1, 1), curve(1e-5, .1)}, []float64{.999, .001}},
		{[]coco.ScoreCurve{{}, curve(0, 0)}, nil},
	} {
		if got := bestScores(&coco.ScoreCurves{Classes: k.classes}); !slices.Equal(got, k.want) {
			t.Errorf("%v, want %v", got, k.want)
		}
	}
}

// A model file stores the scores that its own detections on the validation set give; a run without such a set stores none.
func TestScoresAreStored(t *testing.T) {
	c := least(t)
	out := t.TempDir()
	if err := Run(context.Background(), c, Options{Out: out, Log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	val, err := data.Open(data.Source(c.Data, c.Data.Val))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{BestModel, LastModel} {
		m, info, err := detector.Open(filepath.Join(out, name), e)
		if err != nil {
			t.Fatal(err)
		}
		found, err := infer.Evaluate(t.Context(), m, info.Config, val, nil)
		if err != nil {
			t.Fatal(err)
		}
		curves, err := coco.ByScore(val.COCO(), found.Detections, coco.Params{})
		if err != nil {
			t.Fatal(err)
		}
		if want := bestScores(curves); want == nil || !slices.Equal(info.Scores, want) {
			t.Errorf("%s: scores %v, want %v", name, info.Scores, want)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	c.Data.Val = config.Set{}
	out = t.TempDir()
	if err := Run(context.Background(), c, Options{Out: out, Log: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if info, err := detector.ReadInfo(filepath.Join(out, LastModel)); err != nil || info.Scores != nil {
		t.Errorf("without a validation set: scores %v (%v)", info.Scores, err)
	}
}
