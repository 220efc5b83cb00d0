package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/infer"
)

// tiny is a checkpoint without training, of a network of milliseconds that is 1% sure of everything.
var tiny = sync.OnceValues(func() (string, error) { return save("tiny.safetensors", .01) })

func save(name string, prior float64) (string, error) {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		return "", err
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Prior = "resnet18", 16, 16, 1, prior
	c.Model.Classes, c.Model.CategoryIDs = []string{"circle", "square", "triangle", "star"}, []int64{1, 2, 4, 7}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{96}, 128, 32
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		return "", err
	}
	defer m.Close()
	info := detector.Info{Config: c}
	for i, n := range c.Model.Classes {
		info.Categories = append(info.Categories, detector.Category{ID: c.Model.CategoryIDs[i], Name: n})
	}
	path := filepath.Join(scratch, name)
	return path, m.Save(path, info)
}

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "serve"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// load opens the tiny network, with a least score that leaves something to find.
func load(t testing.TB) *infer.Predictor {
	t.Helper()
	return scored(t, .0101)
}

// scored opens it with another least score.
func scored(t testing.TB, score float64) *infer.Predictor {
	t.Helper()
	path, err := tiny()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, path, score)
}

func open(t testing.TB, path string, score float64) *infer.Predictor {
	t.Helper()
	p, err := infer.Load(path, infer.Options{Score: &score})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// slow is a network that takes its time, or fails.
type slow struct {
	*infer.Predictor
	takes time.Duration
	fails func() error
	ran   func(n int)
}

func (s *slow) Forward(ctx context.Context, in []*infer.Input) (*infer.Outputs, error) {
	time.Sleep(s.takes)
	if s.ran != nil {
		s.ran(len(in))
	}
	if s.fails != nil {
		if err := s.fails(); err != nil {
			return nil, err
		}
	}
	return s.Predictor.Forward(ctx, in)
}

// newServer is a server of the tiny network, for a test.
func newServer(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Models == nil {
		o.Models = []Model{{"tiny", load(t)}}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// noise is a JPEG without meaning.
func noise(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x * y), uint8(x*x + 3*y), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ask sends a request to a handler and returns the answer.
func ask(h http.Handler, method, target string, b []byte, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, bytes.NewReader(b))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// read takes an answer's body.
func read(t testing.TB, r *http.Response) []byte {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse reads an answer of status 200.
func parse[T any](t testing.TB, r *http.Response) (v T) {
	t.Helper()
	b := read(t, r)
	if r.StatusCode != 200 {
		t.Fatalf("status %d: %s", r.StatusCode, b)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

// code is the code of a problem; retry is its Retry-After.
func code(t testing.TB, r *http.Response) string {
	t.Helper()
	var v fault
	if b := read(t, r); json.Unmarshal(b, &v) != nil || v.Error == nil || v.Error.Message == "" {
		t.Fatalf("status %d without a reason: %s", r.StatusCode, b)
	}
	return v.Error.Code
}

func expected(objects []infer.Detection) []Object {
	out := []Object{}
	for _, d := range objects {
		out = append(out, Object{[4]float32{d.Box.X1, d.Box.Y1, d.Box.X2, d.Box.Y2}, d.Class, d.Category.ID, d.Category.Name, d.Score})
	}
	return out
}
