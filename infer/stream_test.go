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

	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
)

// photos writes n images of different sizes, all of them JPEGs.
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
			want, err := p.Predict(t.Context(), pic)
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

// With fast decoding detections are in pixels of the file, and Then gets the whole image.
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
	// A quarter of the image is what the network saw.
	pic, w, h, err := picture.DecodeFor(t.Context(), path, data.Target(p.Info().Config.Data, 96))
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
				found, err := p.Predict(b.Context(), pic)
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

// An image that may not stay in memory is whole again where it is drawn on; with Films, Last is for videos.
func TestStreamKept(t *testing.T) {
	p := load(t, low())
	files := photos(t, 4)
	for _, kept := range []int64{0, 1} {
		for _, films := range []bool{false, true} {
			var drawn atomic.Int32
			last := 0
			for r, err := range p.Stream(context.Background(), source.Paths(files), StreamOptions{Workers: 2, MaxBytes: kept, Films: films,
				Then: func(r Result, pic *picture.Picture) error {
					drawn.Add(int32(pic.W - r.Size.W + 1))
					return nil
				},
				Last: func(r Result, pic *picture.Picture) error {
					last += pic.W - r.Size.W + 1
					return nil
				}}) {
				if err != nil || r.Broken != nil {
					t.Fatal(err, r.Broken)
				}
			}
			if want := map[bool]int{false: 4}[films]; drawn.Load() != 4 || last != want {
				t.Errorf("%d kept: %d were drawn on, %d shown, want %d", kept, drawn.Load(), last, want)
			}
		}
	}
}
