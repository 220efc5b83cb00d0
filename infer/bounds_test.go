package infer

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/source"
)

// Cancelled, a stream gives what it has and then the reason; left, it ends; an error of Then ends it.
func TestStreamEnds(t *testing.T) {
	p := load(t, low())
	files := photos(t, 30)
	before := runtime.NumGoroutine()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got int
	var last error
	for r, err := range p.Stream(ctx, source.Paths(files), StreamOptions{}) {
		if err != nil {
			last = err
			continue
		}
		if r.Index != got {
			t.Errorf("result %d is of file %d", got, r.Index)
		}
		if got++; got == 3 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) || got < 3 || got > 3+inFlight(1) {
		t.Errorf("cancelled after 3 of %d: %d results and %v", len(files), got, last)
	}
	settled(t, before)
	for _, err := range p.Stream(ctx, source.Paths(files), StreamOptions{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
	}

	for r := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: 2}) {
		if r.Index == 1 {
			break
		}
	}
	settled(t, before)

	full := errors.New("the disk is full")
	last = nil
	got = 0
	for _, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: 2, Then: func(r Result, _ *picture.Picture) error {
		if r.Index == 4 {
			return full
		}
		return nil
	}}) {
		if last = err; err == nil {
			got++
		}
	}
	if !errors.Is(last, full) || got != 4 {
		t.Errorf("%d results and %v", got, last)
	}
	settled(t, before)
}

// inFlight is what Stream promises: images on the way, beside the one that was handed out.
func inFlight(workers int) int { return 2*workers + 10 }

// However slow the consumer is, a stream reads no more than it promises: files that are gone then come out as broken.
func TestStreamIsBounded(t *testing.T) {
	p := load(t, low())
	for _, workers := range []int{1, 2} {
		files := photos(t, 25)
		sound := 0
		for r, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: workers, Then: func(Result, *picture.Picture) error { return nil }, Link: func(*Result) error { return nil },
			Last: func(Result, *picture.Picture) error { return nil }}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Index == 0 {
				time.Sleep(300 * time.Millisecond) // for it to read what it likes
				for _, f := range files {
					if err := os.Remove(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if r.Broken == nil {
				sound++
			}
		}
		if sound < 2 || sound > 1+inFlight(workers) {
			t.Errorf("%d workers: %d pictures were read when the first came out, at most %d are promised", workers, sound, 1+inFlight(workers))
		}
	}
}
