package infer

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
)

// Images of one canvas size go through the network together; of others not.
func TestPredictBatch(t *testing.T) {
	p := load(t, low())
	var in []*Input
	pics := []*picture.Picture{noise(96, 90), picture.New(99, 93), noise(90, 80)}
	for _, pic := range pics {
		v, err := p.Prepare(pic, data.Size{W: pic.W, H: pic.H})
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, v)
	}
	if in[0].Canvas != in[1].Canvas || in[0].Canvas != in[2].Canvas {
		t.Fatalf("canvases %v, %v and %v", in[0].Canvas, in[1].Canvas, in[2].Canvas)
	}
	for range 2 { // their memory is used again
		all, _, err := p.PredictBatch(context.Background(), in)
		if err != nil || len(all) != len(pics) {
			t.Fatalf("%d results, %v", len(all), err)
		}
		for i, pic := range pics {
			want, err := p.Predict(t.Context(), pic)
			if err != nil || len(want) == 0 || len(all[i]) != len(want) {
				t.Fatalf("picture %d: %d detections, alone %d (%v)", i, len(all[i]), len(want), err)
			}
			for k := range 5 {
				if d := all[i][k].Score - want[k].Score; d > 1e-4 || d < -1e-4 {
					t.Errorf("picture %d, detection %d: score %g, alone %g", i, k, all[i][k].Score, want[k].Score)
				}
			}
		}
	}
	other, err := p.Prepare(noise(96, 300), data.Size{W: 96, H: 300})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.PredictBatch(context.Background(), append(in, other)); err == nil || !strings.Contains(err.Error(), "Canvas") {
		t.Errorf("two canvases: %v", err)
	}
	if all, _, err := p.PredictBatch(context.Background(), nil); err != nil || len(all) != 0 {
		t.Errorf("no pictures: %v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := p.PredictBatch(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Batches form by canvas among what is on the way, change nothing but rounding, and keep the order.
func TestStreamBatch(t *testing.T) {
	p := load(t, low())
	files := photos(t, 17)
	if err := os.WriteFile(files[3], []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{2, 4} {
		next := 0
		for r, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Batch: batch}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Index != next {
				t.Fatalf("result %d is of file %d", next, r.Index)
			}
			next++
			if (r.Broken != nil) != (r.Index == 3) {
				t.Errorf("%s: %v", r.Path, r.Broken)
			}
			if r.Broken != nil {
				continue
			}
			want := predictFile(t, p, r.Path)
			if len(r.Found) == 0 || r.Times.Network <= 0 {
				t.Fatalf("%s: %d detections, %+v", r.Path, len(r.Found), r.Times)
			}
			for i := range 3 {
				if d := r.Found[i].Score - want[i].Score; d > 1e-4 || d < -1e-4 {
					t.Errorf("%s, detection %d: score %g, alone %g", r.Path, i, r.Found[i].Score, want[i].Score)
				}
			}
		}
		if next != len(files) {
			t.Errorf("%d results", next)
		}
	}
}

// fed are items with one input each, of canvases 1, 2, ...; the last ones are live.
func fed(live int, canvases ...int) <-chan *item {
	in := make(chan *item, len(canvases))
	for i, c := range canvases {
		v := &item{in: &inputs{all: []*Input{{Canvas: data.Size{W: c, H: c}}}}}
		if i >= len(canvases)-live {
			v.Video = &source.Video{Realtime: true}
		}
		in <- v
	}
	return in
}

func TestPack(t *testing.T) {
	for _, k := range []struct {
		batch    int
		canvases []int
		want     []int // sizes of packs
	}{
		{1, []int{1, 1, 2}, []int{1, 1, 1}},
		{2, []int{1, 1, 1, 1}, []int{2, 2}},
		{2, []int{1, 2, 1, 2, 2}, []int{3, 2}},
		{2, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{8, 2}}, // not longer than four batches
		{3, []int{1}, []int{1}},
	} {
		in := fed(0, k.canvases...)
		closed := make(chan *item, len(k.canvases))
		for range k.canvases {
			closed <- <-in
		}
		close(closed)
		var got []int
		for p := range pack(closed, k.batch) {
			got = append(got, len(p))
		}
		if !slices.Equal(got, k.want) {
			t.Errorf("batches of %d of %v: packs of %v, want %v", k.batch, k.canvases, got, k.want)
		}
	}
	// What is live goes on though nothing follows.
	for _, in := range []<-chan *item{fed(1, 1), fed(1, 3, 2, 1)} {
		n := len(in)
		select {
		case p := <-pack(in, 4):
			if len(p) != n {
				t.Errorf("a pack of %d, want %d", len(p), n)
			}
		case <-time.After(5 * time.Second):
			t.Error("a live frame waits for others")
		}
	}
}
