package infer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retinago/data"
	"retinago/picture"
	"retinago/source"
)

// photos writes n pictures of different sizes, all of them JPEGs.
func photos(t testing.TB, n int) []string {
	t.Helper()
	dir := t.TempDir()
	files := make([]string, n)
	for i := range files {
		files[i] = filepath.Join(dir, fmt.Sprintf("%02d.jpg", i))
		if err := noise(60+17*(i%5), 50+13*(i%3)).WriteJPEG(files[i], 90); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// settled waits until no more goroutines run than did.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// A stream gives what Predict gives, in the order of the files, and names the broken ones.
func TestStream(t *testing.T) {
	p := load(t, low())
	files := photos(t, 9)
	if err := os.WriteFile(files[2], []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	files[5] = filepath.Join(filepath.Dir(files[5]), "absent.jpg")
	if err := noise(9, 1).WritePNG(files[7]); err != nil { // whatever its name says
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for _, workers := range []int{0, 3} {
		var then atomic.Int32
		next := 0
		for r, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: workers, Then: func(r Result, pic *picture.Picture) error {
			then.Add(1)
			if pic.W != r.Size.W || pic.H != r.Size.H || len(r.Found) == 0 {
				t.Errorf("%s: a picture of %dx%d and %d detections", r.Path, pic.W, pic.H, len(r.Found))
			}
			return nil
		}}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Index != next || r.Path != files[next] {
				t.Fatalf("result %d is of %s", next, r.Path)
			}
			next++
			if r.Index == 2 || r.Index == 5 {
				if r.Broken == nil || !strings.Contains(r.Broken.Error(), r.Path) || r.Found != nil {
					t.Errorf("%s: %v, %d detections", r.Path, r.Broken, len(r.Found))
				}
				continue
			}
			pic, err := picture.Decode(r.Path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := p.Predict(pic)
			if err != nil || !slices.Equal(r.Found, want) || r.Broken != nil {
				t.Errorf("%s: %d detections, alone %d (%v, %v)", r.Path, len(r.Found), len(want), r.Broken, err)
			}
			if tm := r.Times; tm.Read <= 0 || tm.Prepare <= 0 || tm.Network <= 0 || tm.Decode <= 0 || tm.NMS <= 0 || tm.Write <= 0 {
				t.Errorf("%s: %+v", r.Path, tm)
			}
		}
		if next != len(files) || then.Load() != 7 {
			t.Errorf("%d results, %d of them passed on", next, then.Load())
		}
	}
	for range p.Stream(context.Background(), source.Paths(nil), StreamOptions{}) {
		t.Error("a result of no files")
	}
	settled(t, before)
}

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

// inFlight is what Stream promises: pictures on the way, beside the one that was handed out.
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

// Pictures of one canvas size go through the network together; of others not.
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
			want, err := p.Predict(pic)
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

// With fast decoding detections are in pixels of the file, and Then gets the whole picture.
func TestStreamFastDecode(t *testing.T) {
	o := low()
	o.FastDecode = true
	p := load(t, o)
	path := filepath.Join(t.TempDir(), "large.jpg")
	if err := noise(640, 480).WriteJPEG(path, 90); err != nil { // 128x96 is 1/4 and more
		t.Fatal(err)
	}
	for r, err := range p.Stream(context.Background(), source.Paths([]string{path}), StreamOptions{Then: func(r Result, pic *picture.Picture) error {
		if pic.W != 640 || pic.H != 480 {
			t.Errorf("a picture of %dx%d", pic.W, pic.H)
		}
		return nil
	}}) {
		if err != nil || r.Broken != nil {
			t.Fatal(err, r.Broken)
		}
		if r.Size != (data.Size{W: 640, H: 480}) {
			t.Errorf("size %v", r.Size)
		}
		right := float32(0)
		for _, d := range r.Found {
			right = max(right, d.Box.X2)
		}
		if right <= 320 || right > 640.1 {
			t.Errorf("detections reach to %g of 640", right)
		}
	}
	// A quarter of the picture is what the network saw.
	pic, w, h, err := picture.DecodeFor(path, data.Target(p.Info().Config.Data, 96))
	if err != nil || pic.W != 160 || pic.H != 120 || w != 640 || h != 480 {
		t.Errorf("%dx%d of %dx%d, %v", pic.W, pic.H, w, h, err)
	}
}

func BenchmarkStream(b *testing.B) {
	path, err := save(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p, err := Load(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	files := photos(b, 10)
	draw := func(r Result, pic *picture.Picture) error {
		return WriteAnnotated(filepath.Join(b.TempDir(), "out.jpg"), pic, r.Found)
	}
	b.Run("overlapped", func(b *testing.B) {
		for b.Loop() {
			for _, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Then: draw}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			for _, f := range files {
				pic, err := picture.Decode(f)
				if err != nil {
					b.Fatal(err)
				}
				found, err := p.Predict(pic)
				if err == nil {
					err = draw(Result{Found: found}, pic)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
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
			v.Video = &source.Video{Live: true}
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

// Link and Last see results one by one in their order, before and after Then, and Link may change them.
func TestStreamOrder(t *testing.T) {
	p := load(t, low())
	files := photos(t, 8)
	linked, shown := 0, 0
	for r, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: 3,
		Link: func(r *Result) error {
			if r.Index != linked {
				t.Errorf("link %d is of %d", linked, r.Index)
			}
			linked++
			r.Found, r.Captions = r.Found[:1], []string{"one"}
			return nil
		},
		Then: func(r Result, pic *picture.Picture) error {
			time.Sleep(time.Duration(8-r.Index) * time.Millisecond)
			pic.Set(0, 0, 1, 2, uint8(r.Index))
			return nil
		},
		Last: func(r Result, pic *picture.Picture) error {
			if _, g, b := pic.At(0, 0); r.Index != shown || g != 2 || int(b) != shown || len(r.Found) != 1 || r.Captions[0] != "one" {
				t.Errorf("last %d is of %d, pixel %d %d", shown, r.Index, g, b)
			}
			shown++
			return nil
		}}) {
		if err != nil || len(r.Found) != 1 {
			t.Fatal(len(r.Found), err)
		}
	}
	if linked != 8 || shown != 8 {
		t.Errorf("%d were linked, %d shown", linked, shown)
	}
	stop := errors.New("enough")
	var last error
	for _, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Link: func(*Result) error { return stop }}) {
		last = err
	}
	if !errors.Is(last, stop) {
		t.Errorf("an error of Link: %v", last)
	}
}
