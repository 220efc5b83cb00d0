package infer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	"retinago/internal/memory"
)

// save writes a model without training, changed, and returns its file.
func save(dir string, change ...func(*config.Model)) (string, error) {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		return "", err
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth = "resnet18", 16, 16, 1
	c.Model.Classes, c.Model.CategoryIDs = []string{"circle", "square", "triangle", "star"}, []int64{1, 2, 4, 7}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{96}, 128, 32
	for _, f := range change {
		f(&c.Model)
	}
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		return "", err
	}
	defer m.Close()
	info := detector.Info{Config: c}
	for i, n := range c.Model.Classes {
		info.Categories = append(info.Categories, detector.Category{ID: c.Model.CategoryIDs[i], Name: n})
	}
	path := filepath.Join(dir, "model.safetensors")
	return path, m.Save(path, info)
}

func load(t *testing.T, o Options, change ...func(*config.Model)) *Predictor {
	t.Helper()
	path, err := save(t.TempDir(), change...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func low() Options {
	s := .001
	return Options{Score: &s}
}

func noise(w, h int) *picture.Picture {
	p := picture.New(w, h)
	for i := range p.Pix {
		p.Pix[i] = uint8(i * i >> 3)
	}
	return p
}

// Detections lie on the image, in its pixels, best first, whatever its size.
func TestPredict(t *testing.T) {
	p := load(t, low())
	for _, s := range [][2]int{{96, 96}, {640, 480}, {31, 400}, {1, 1}, {3, 2}} {
		found, err := p.Predict(t.Context(), noise(s[0], s[1]))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Errorf("%v: nothing at a threshold of .001", s)
		}
		for i, d := range found {
			b := d.Box
			if b.X1 < 0 || b.Y1 < 0 || float64(b.X2) > float64(s[0])*1.0001 || float64(b.Y2) > float64(s[1])*1.0001 {
				t.Errorf("%v: %v is not on the picture", s, b)
			}
			if i > 0 && d.Score > found[i-1].Score {
				t.Errorf("%v: detection %d is better than the one before", s, i)
			}
			if d.Category.Name != p.Info().Categories[d.Class].Name {
				t.Errorf("class %d is called %s", d.Class, d.Category.Name)
			}
		}
	}
	if _, err := p.Predict(t.Context(), nil); err == nil {
		t.Error("no picture, no error")
	}
	if _, err := p.Predict(t.Context(), &picture.Picture{W: 5, H: 5}); err == nil {
		t.Error("a picture without pixels, no error")
	}
}

// One predictor serves many goroutines.
func TestPredictInParallel(t *testing.T) {
	p := load(t, low())
	want, err := p.Predict(t.Context(), noise(100, 80))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 3 {
				got, err := p.Predict(t.Context(), noise(100, 80))
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%d detections, want %d (%v)", len(got), len(want), err)
				}
			}
		}()
	}
	wg.Wait()
}

// Detecting 200 times leaves nothing behind, in Go's heap or outside.
func TestPredictLeak(t *testing.T) {
	p := load(t, low())
	dir := t.TempDir()
	file := filepath.Join(dir, "p.jpg")
	if err := noise(640, 480).WriteJPEG(file, 90); err != nil {
		t.Fatal(err)
	}
	detect := func(n int) {
		for range n {
			pic, err := picture.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			found, err := p.Predict(t.Context(), pic)
			if err != nil {
				t.Fatal(err)
			}
			if err := WriteAnnotated(filepath.Join(dir, "out.jpg"), pic, found); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
	}
	detect(30)
	before := memory.Resident()
	n := 200
	if testing.Short() {
		n = 20
	}
	detect(n)
	if grown := memory.Resident() - before; grown > 40<<20 { // 200 images alone are 180 MB
		t.Errorf("%d detections left %d MB behind", n, grown>>20)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "infer")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path, err := save(dir) // in its place, a checkpoint of training
	if err != nil {
		log.Fatal(err)
	}
	p, err := Load(path, Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	ctx := context.Background()
	// From any goroutine: an image of Go's, or the bytes of a file.
	m := image.NewRGBA(image.Rect(0, 0, 320, 240))
	found, err := p.PredictImage(ctx, m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(found), "objects of", len(p.Info().Categories), "classes")
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, nil); err != nil {
		log.Fatal(err)
	}
	if found, err = p.PredictBytes(ctx, file.Bytes()); err != nil {
		log.Fatal(err)
	}
	for _, d := range found {
		fmt.Println(d.Category.Name, d.Score, d.Box)
	}
	_, err = p.PredictBytes(ctx, []byte("no picture"))
	fmt.Println(err)
	// Output:
	// 0 objects of 4 classes
	// picture: the bytes: unsupported format: the data does not start with the signature of a JPEG, PNG, GIF, BMP, TIFF or WebP
}

// Every way to give an image finds the same, from many goroutines at once; after Close there is an error.
func TestPredictWays(t *testing.T) {
	path, err := save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(path, low())
	if err != nil {
		t.Fatal(err)
	}
	pic := noise(100, 80)
	m := image.NewRGBA(image.Rect(3, 4, 103, 84)) // bounds need not begin at 0
	for y := range 80 {
		for x := range 100 {
			r, g, b := pic.At(x, y)
			m.Set(3+x, 4+y, color.RGBA{r, g, b, 255})
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	want, err := p.Predict(t.Context(), pic)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d detections, %v", len(want), err)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			got, err := p.PredictImage(t.Context(), m)
			if i%2 == 0 {
				got, err = p.PredictBytes(t.Context(), file.Bytes())
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("goroutine %d: %d detections, want %d (%v)", i, len(got), len(want), err)
			}
		})
	}
	wg.Wait()
	if _, err := p.PredictImage(t.Context(), nil); err == nil {
		t.Error("no image, no error")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Predict(t.Context(), pic); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := p.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("Close twice: %v", err)
	}
}

// A batch's outputs are decoded as each image wants it; candidates above a higher score, thinned out, are its detections.
func TestOutputs(t *testing.T) {
	p := load(t, low())
	var in []*Input
	for i := range 3 {
		v, err := p.Prepare(noise(100+i, 80), data.Size{W: 200, H: 160})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Release()
		in = append(in, v)
	}
	forward := func() *Outputs {
		o, err := p.Forward(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := forward()
	all, _, err := p.PredictBatch(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range in {
		v.Candidates = true
	}
	before := forward()
	var wg sync.WaitGroup
	high := make([]detector.Candidates, len(in))
	for k := range in {
		wg.Go(func() {
			if got, _ := o.Found(k); !slices.Equal(got, all[k]) {
				t.Errorf("picture %d: %d detections, together %d", k, len(got), len(all[k]))
			}
			c, _, _, _ := before.Candidates(k)
			median := slices.Sorted(slices.Values(c.Scores))[len(c.Scores)/2]
			h := &high[k]
			for i, s := range c.Scores {
				if s > median && c.Classes[i] != 1 {
					h.Boxes, h.Scores, h.Classes = append(h.Boxes, c.Boxes[i]), append(h.Scores, s), append(h.Classes, c.Classes[i])
				}
			}
			d := &in[k].Decoding
			d.Score, d.NMS, d.Only = median, .3, []bool{true, false, true, true}
			in[k].Candidates = false
		})
	}
	wg.Wait()
	o = forward()
	for k, v := range in {
		found, _ := o.Found(k)
		_, sx, sy, _ := o.Candidates(k)
		thin := v.Decoding.Suppress(high[k])
		if len(found) != len(thin) || len(found) == 0 {
			t.Errorf("picture %d: %d detections, of candidates %d", k, len(found), len(thin))
			continue
		}
		for i, f := range found {
			if f.Class != int(thin[i].Class) || f.Score != thin[i].Score || f.Box != thin[i].Box.Scale(sx, sy) {
				t.Errorf("picture %d, detection %d: %v, of candidates %v", k, i, f, thin[i])
			}
		}
	}
	if _, err := p.Forward(context.Background(), nil); err == nil {
		t.Error("no pictures, no error")
	}
}
