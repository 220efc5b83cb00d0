package train

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/coco"
	"retinago/config"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/dataset/doctor"
)

// checked returns the errors that `data check` has for a dataset, without their grade.
func checked(t *testing.T, s convert.Source) (errs []string) {
	t.Helper()
	d, images, err := s.Open()
	if err != nil {
		return []string{err.Error()}
	}
	for p, err := range doctor.Check(t.Context(), d, doctor.Options{Images: images, Run: true, Headers: &doctor.Headers{}}, doctor.Faulty{}) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Severity == coco.Error {
			errs = append(errs, p.Text())
		}
	}
	return errs
}

// opened returns the error with which training on a dataset is refused.
func opened(s convert.Source) error {
	c := config.Default()
	c.Data.Train = config.Set{Source: s.Path, Format: s.Format, Split: s.Split, Classes: s.Classes, Images: s.Images}
	_, err := new(Loop).openData(&c, Options{Log: io.Discard})
	return err
}

// agree checks that train refuses what data check calls an error, with its words, and nothing else.
func agree(t *testing.T, m *mutant) (refused bool) {
	t.Helper()
	found, err := checked(t, m.source), opened(m.source)
	if (err != nil) != (len(found) > 0) {
		t.Errorf("data check finds %q, train says %v", found, err)
		return err != nil
	}
	if err == nil {
		return false
	}
	for i, text := range found {
		if i < 20 && !strings.Contains(err.Error(), text) {
			t.Errorf("train does not say %q, but %v", text, err)
		}
	}
	_, evaluated := data.OpenFor(t.Context(), m.source, data.Run{})
	if evaluated == nil || !strings.Contains(err.Error(), evaluated.Error()) {
		t.Errorf("train says %v, eval says %v", err, evaluated)
	}
	return true
}

// data check and train agree on datasets that were changed at random: both accept one, or both refuse it with the same words.
func TestCheckAgreesWithTrain(t *testing.T) {
	const datasets = 200
	formats := convert.Formats()
	refused := map[bool]int{}
	for i := range datasets {
		m := mutated(t, formats[i%len(formats)], rand.New(rand.NewPCG(1, uint64(i))))
		before := t.Failed()
		refused[agree(t, m)]++
		if t.Failed() && !before {
			t.Errorf("dataset %d: %s with %q in %s", i, formats[i%len(formats)], m.done, m.dir)
		}
	}
	t.Logf("%d are accepted, %d refused", refused[false], refused[true])
	if refused[false] < datasets/5 || refused[true] < datasets/5 {
		t.Errorf("%d are accepted, %d refused: one of the two is hardly tested", refused[false], refused[true])
	}
}

// Each change alone, in each format that has what it changes.
func TestCheckAgreesOnEachChange(t *testing.T) {
	for _, format := range convert.Formats() {
		for i, c := range changes {
			m := whole(t, format)
			if !c.to(t, rand.New(rand.NewPCG(2, uint64(i))), m) {
				continue
			}
			before := t.Failed()
			agree(t, m)
			if t.Failed() && !before {
				t.Errorf("%s with %s in %s", format, c.name, m.dir)
			}
		}
	}
}
