package data

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"retinago/coco"
	"retinago/config"
	"retinago/internal/media/picture"
)

// made writes n images of rising size, landscape and portrait in turn, each with a box at a place that is of the
// image alone, but for every fifth, which has none.
func made(t *testing.T, n int) *Dataset {
	t.Helper()
	dir := t.TempDir()
	c := &coco.Dataset{Path: "made.json", Categories: []coco.Category{{ID: 3, Name: "a"}, {ID: 7, Name: "b"}}}
	for i := range n {
		w, h := 64+i, 48
		if i%2 == 1 {
			w, h = 48, 64+i
		}
		p := picture.New(w, h)
		for k := range p.Pix {
			p.Pix[k] = uint8(i)
		}
		name := fmt.Sprintf("%03d.png", i)
		if err := p.WritePNG(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		c.Images = append(c.Images, coco.Image{ID: int64(100 + i), FileName: name, Width: w, Height: h})
		if i%5 != 4 {
			c.Annotations = append(c.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: int64(100 + i), CategoryID: 7, BBox: [4]float64{4, 8, 20, 10}, Area: 200})
		}
	}
	d, err := New(c, dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func settings() config.Data {
	c := config.Default().Data
	c.ShortSides, c.MaxSide, c.CanvasMultiple, c.Flip = []int{32, 64}, 128, 32, .5
	return c
}

func take(t *testing.T, l *Loader, n int) []*Batch {
	t.Helper()
	var out []*Batch
	for range n {
		b, _, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// Workers do not change what comes out, and a loader that seeks continues like one that did not stop.
func TestLoaderIsDeterministic(t *testing.T) {
	d := made(t, 23)
	run := func(workers, skip int) []*Batch {
		c := settings()
		c.Workers = workers
		l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.Seek(skip/5, skip%5); err != nil { // five batches an epoch
			t.Fatal(err)
		}
		return take(t, l, 12-skip)
	}
	all := run(1, 0)
	for _, c := range []struct{ workers, skip int }{{4, 0}, {3, 7}, {1, 5}, {2, 10}} {
		if got := run(c.workers, c.skip); !reflect.DeepEqual(got, all[c.skip:]) {
			t.Errorf("%d workers from batch %d on: other batches", c.workers, c.skip)
		}
	}
	if reflect.DeepEqual(all[0].Index, all[5].Index) {
		t.Error("two epochs begin alike")
	}
}

// The parts of a batch that several processes make are those of the batch that one makes: images, boxes and names, with and without policies.
// An image that cannot be read is replaced by the same one.
func TestParts(t *testing.T) {
	d := made(t, 23)
	if err := os.WriteFile(d.File(6), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, augment := range map[string]config.Augment{"flips": nil, "policies": {{Name: "ssd"}}} {
		run := func(part, parts int) []*Batch {
			c := settings()
			c.Augment = augment
			l, err := NewLoader(d, c, LoaderOptions{Batch: 4, Seed: 5, Part: part, Parts: parts})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return take(t, l, 12)
		}
		whole := run(0, 0)
		for _, parts := range []int{2, 4} {
			joined := make([]Batch, len(whole))
			for part := range parts {
				for n, b := range run(part, parts) {
					if w := whole[n]; b.N != 4/parts || b.H != w.H || b.W != w.W || b.Epoch != w.Epoch || b.Position != w.Position {
						t.Fatalf("%s: batch %d, part %d of %d: %d canvases of %dx%d, number %d of epoch %d", name, n, part, parts, b.N, b.H, b.W, b.Position, b.Epoch)
					}
					j := &joined[n]
					j.Images, j.Boxes, j.Classes = append(j.Images, b.Images...), append(j.Boxes, b.Boxes...), append(j.Classes, b.Classes...)
					j.Names, j.Index = append(j.Names, b.Names...), append(j.Index, b.Index...)
				}
			}
			for n, j := range joined {
				w := whole[n]
				if !slices.Equal(j.Images, w.Images) || !reflect.DeepEqual(j.Boxes, w.Boxes) || !reflect.DeepEqual(j.Classes, w.Classes) ||
					!slices.Equal(j.Names, w.Names) || !slices.Equal(j.Index, w.Index) {
					t.Errorf("%s: batch %d in %d parts differs", name, n, parts)
				}
			}
		}
	}
	for _, o := range []LoaderOptions{{Batch: 4, Part: 0, Parts: 3}, {Batch: 4, Part: 2, Parts: 2}, {Batch: 4, Part: -1, Parts: 2}} {
		if _, err := NewLoader(d, settings(), o); err == nil || !strings.Contains(err.Error(), "a batch of 4 images") {
			t.Errorf("part %d of %d: %v", o.Part, o.Parts, err)
		}
	}
}

func TestLoaderBatches(t *testing.T) {
	d := made(t, 23)
	l, err := NewLoader(d, settings(), LoaderOptions{Batch: 4, Seed: 1, Prepare: func(b *Batch) { b.Prepared = b.Names[0] }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[int]int{}
	flips := 0
	for _, b := range take(t, l, l.BatchesPerEpoch()) {
		if b.H%32 != 0 || b.W%32 != 0 || len(b.Images) != 4*b.H*b.W*3 || b.Prepared != b.Names[0] {
			t.Fatalf("canvas %dx%d with %d values, prepared %v", b.W, b.H, len(b.Images), b.Prepared)
		}
		for i, k := range b.Index {
			seen[k]++
			im, s := d.Image(k), b.Sizes[i]
			if s.W > b.W || s.H > b.H {
				t.Fatalf("picture of %v on a canvas of %dx%d", s, b.W, b.H)
			}
			if b.Flipped[i] {
				flips++
			}
			if k%5 == 4 {
				if len(b.Boxes[i]) != 0 {
					t.Errorf("picture %d has no boxes, got %v", k, b.Boxes[i])
				}
				continue
			}
			sx, sy := float32(s.W)/float32(im.Width), float32(s.H)/float32(im.Height)
			x1 := 4 * sx
			if b.Flipped[i] {
				x1 = float32(s.W) - 24*sx
			}
			if got := b.Boxes[i][0]; abs32(got.X1-x1) > 1e-3 || abs32(got.Y1-8*sy) > 1e-3 || abs32(got.W()-20*sx) > 1e-3 || b.Classes[i][0] != 1 {
				t.Errorf("picture %d flipped %v: box %v of class %d", k, b.Flipped[i], got, b.Classes[i][0])
			}
			// The image's own value inside, zero on the padding.
			want := (float32(k)/255 - l.c.Mean[0]) / l.c.Std[0]
			if got := b.Images[i*b.H*b.W*3]; abs32(got-want) > 1e-4 {
				t.Errorf("picture %d: value %g, wants %g", k, got, want)
			}
			if s.W < b.W {
				if got := b.Images[i*b.H*b.W*3+3*s.W]; got != 0 {
					t.Errorf("picture %d: padding is %g", k, got)
				}
			}
		}
	}
	for k, n := range seen {
		if n != 1 {
			t.Errorf("picture %d came %d times in an epoch", k, n)
		}
	}
	if len(seen) != 20 || flips == 0 || flips == 20 {
		t.Errorf("%d pictures in five batches of four, %d flipped", len(seen), flips)
	}
}

func abs32(v float32) float32 { return max(v, -v) }

func TestEvalLoaderShowsAllOnce(t *testing.T) {
	d := made(t, 11)
	l := NewEvalLoader(d, settings(), 4, false)
	defer l.Close()
	seen := map[int]bool{}
	for {
		b, _, err := l.Next(context.Background())
		if errors.Is(err, ErrEnd) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			im := d.Image(b.Index[i])
			if alone := Resized(Size{im.Width, im.Height}, 64, 128).Up(32); alone != (Size{b.W, b.H}) || b.N != 1 && b.N != 4 {
				t.Errorf("%d pictures on %dx%d, one of them is on %v alone", b.N, b.W, b.H, alone)
			}
			if seen[b.Index[i]] || b.Flipped[i] {
				t.Errorf("picture %d again or flipped", b.Index[i])
			}
			seen[b.Index[i]] = true
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d of 11 pictures", len(seen))
	}
}

func TestBrokenPicturesAreReplacedAndNamed(t *testing.T) {
	d := made(t, 20)
	for _, i := range []int{2, 3} {
		if err := os.WriteFile(d.File(i), []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l, err := NewLoader(d, settings(), LoaderOptions{Batch: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, b := range take(t, l, 5) {
		for _, k := range b.Index {
			if k == 2 || k == 3 {
				t.Errorf("broken picture %d in a batch", k)
			}
		}
	}
	if got := l.Broken(); len(got) != 2 || got[d.File(2)] == nil || got[d.File(3)] == nil {
		t.Errorf("broken: %v", got)
	}
	for i := range d.Len() {
		os.WriteFile(d.File(i), nil, 0o644)
	}
	l2, err := NewLoader(d, settings(), LoaderOptions{Batch: 4, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l2.Close()
	if _, _, err := l2.Next(context.Background()); err == nil || !strings.Contains(err.Error(), "in a row") {
		t.Errorf("a dataset of broken pictures: %v", err)
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	d := made(t, 3)
	os.Remove(d.File(1))
	if _, err := New(d.COCO(), d.images); err == nil || !strings.Contains(err.Error(), "001.png") {
		t.Errorf("error %v does not name the file", err)
	}
	if _, err := NewLoader(made(t, 3), settings(), LoaderOptions{Batch: 4}); err == nil || !strings.Contains(err.Error(), "train.batch") {
		t.Errorf("fewer pictures than a batch: %v", err)
	}
}

func TestNextEndsWithItsContext(t *testing.T) {
	l, err := NewLoader(made(t, 8), settings(), LoaderOptions{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := l.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	l.Close()
}

// A batch whose wait was cut short is the next one again.
func TestInterruptedWaitLosesNoBatch(t *testing.T) {
	d := made(t, 12)
	free := make(chan struct{})
	l, err := NewLoader(d, settings(), LoaderOptions{Batch: 4, Seed: 5, Prepare: func(*Batch) { <-free }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if _, _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a wait that ends with its context: %v", err)
		}
		cancel()
	}
	close(free)
	for want, b := range take(t, l, 3) {
		if got := b.Epoch*l.BatchesPerEpoch() + b.Position; got != want {
			t.Errorf("batch %d comes where %d is due", got, want)
		}
		b.Release()
	}
}

// Where no image can be read, the error is that of the last image that was tried.
func TestBrokenPicturesNameTheLast(t *testing.T) {
	d := made(t, 30)
	for i := range d.Len() {
		if err := os.WriteFile(d.File(i), []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := settings()
	for round := range 10 {
		l, err := NewLoader(d, c, LoaderOptions{Batch: 1, Seed: uint64(round)})
		if err != nil {
			t.Fatal(err)
		}
		j, _ := l.jobs()()
		// The same draws as in place.
		r := rand.New(rand.NewPCG(l.seed^0x9e3779b97f4a7c15, uint64(j.number)<<20))
		k := j.images[0]
		for range attempts - 1 {
			for k = r.IntN(d.Len()); l.order.bucket[k] != l.order.bucket[j.images[0]]; k = r.IntN(d.Len()) {
			}
		}
		err = l.place(context.Background(), newBatch(1, j.canvas.H, j.canvas.W, false), 0, j)
		if err == nil || !strings.Contains(err.Error(), d.File(k)) {
			t.Errorf("seed %d: %v, the last was %s", round, err, d.File(k))
		}
	}
}
