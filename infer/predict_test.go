package infer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A Picture, an image.Image, bytes and a file take the same path, with several views too, by Load's options and by those of a call.
func TestPredictViews(t *testing.T) {
	dir := t.TempDir()
	path, err := save(dir)
	if err != nil {
		t.Fatal(err)
	}
	pic := noise(150, 110)
	file := filepath.Join(dir, "a.png")
	if err := pic.WritePNG(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	choice := Choice{Flip: true, Scales: []float64{1, 1.5}, Tile: 80, Overlap: .25}
	o := low()
	o.Choice = choice
	all, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	one, err := Load(path, low())
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	ctx := t.Context()
	want, err := all.Predict(ctx, pic)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d detections, %v", len(want), err)
	}
	single, err := one.Predict(ctx, pic)
	if err != nil || slices.Equal(single, want) {
		t.Fatalf("one view gives what all give, %v", err)
	}
	image := pic.Image()
	for name, of := range map[string]func(p *Predictor, with ...Option) ([]Detection, error){
		"picture": func(p *Predictor, with ...Option) ([]Detection, error) { return p.Predict(ctx, pic, with...) },
		"image":   func(p *Predictor, with ...Option) ([]Detection, error) { return p.PredictImage(ctx, image, with...) },
		"bytes":   func(p *Predictor, with ...Option) ([]Detection, error) { return p.PredictBytes(ctx, b, with...) },
		"file":    func(p *Predictor, with ...Option) ([]Detection, error) { return p.PredictFile(ctx, file, with...) },
	} {
		if got, err := of(all); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d detections, want %d, %v", name, len(got), len(want), err)
		}
		var times Times
		if got, err := of(one, WithChoice(choice), WithTimes(&times)); err != nil || !slices.Equal(got, want) || times.Network == 0 || times.Prepare == 0 {
			t.Errorf("%s, by an option: %d detections, want %d, %+v, %v", name, len(got), len(want), times, err)
		}
		if got, err := of(one); err != nil || !slices.Equal(got, single) {
			t.Errorf("%s after other options: %d detections, want %d, %v", name, len(got), len(single), err)
		}
		least := float64(single[2].Score)
		got, err := of(one, WithScore(least), WithMaxDetections(2))
		if err != nil || !slices.Equal(got, single[:2]) {
			t.Errorf("%s: %d detections of %g and more, %v", name, len(got), least, err)
		}
		if _, err := of(one, WithChoice(Choice{Classes: []string{"lion"}})); err == nil {
			t.Errorf("%s: an unknown class was taken", name)
		}
	}
	if got, err := one.Predict(ctx, pic, WithNMS(.01)); err != nil || len(got) >= len(single) {
		t.Errorf("%d detections with NMS at .01, %d without, %v", len(got), len(single), err)
	}
	if _, err := one.PredictFile(ctx, filepath.Join(dir, "absent.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

// A call that waits for the network returns when its context ends, and so does one whose context has ended.
func TestPredictContext(t *testing.T) {
	p := load(t, low())
	pic := noise(60, 40)
	var file bytes.Buffer
	if err := pic.EncodeJPEG(&file, 90); err != nil {
		t.Fatal(err)
	}
	if err := p.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := p.Predict(ctx, pic); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the network is taken: %v", err)
	}
	in, err := p.Prepare(pic, Size{W: pic.W, H: pic.H})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	if _, err := p.Forward(ctx, []*Input{in}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a batch: %v", err)
	}
	p.unlock()
	if _, err := p.PredictBytes(ctx, file.Bytes()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("bytes after the end: %v", err)
	}
	if found, err := p.Predict(t.Context(), pic); err != nil || len(found) == 0 {
		t.Errorf("afterwards: %d detections, %v", len(found), err)
	}
}

// A checkpoint in memory gives what its file gives; damage is an error that names it.
func TestLoadFrom(t *testing.T) {
	path, err := save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := Load(path, low())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := LoadFrom(bytes.NewReader(b), int64(len(b)), low())
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	clear(b) // it is not needed any more
	want, err := file.Predict(t.Context(), noise(90, 70))
	if err != nil {
		t.Fatal(err)
	}
	got, err := memory.Predict(t.Context(), noise(90, 70))
	if err != nil || len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d detections, want %d, %v", len(got), len(want), err)
	}
	if p, err := LoadFrom(bytes.NewReader(b), int64(len(b)), Options{}); err == nil {
		p.Close()
		t.Error("zeros were loaded")
	}
}
