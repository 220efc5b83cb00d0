package onnx

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"retinago/augment"
	"retinago/detector"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// scene is an image with edges, slopes and noise.
func scene(w, h, seed int) *picture.Picture {
	p := picture.New(w, h)
	for i := range p.Pix {
		x, y, c := i/3%w, i/3/w, i%3
		v := 128 + 80*math.Sin(float64(x*(c+1)+seed)/17)*math.Cos(float64(y)/11) + float64((i*2654435761+seed)>>16&31)
		if (x/9+y/13)%3 == c {
			v = 255 - v
		}
		p.Pix[i] = uint8(max(0, min(255, v)))
	}
	return p
}

// expectedOf are the outputs of a model with preprocessing for images of one size, as this project computes them: resized to s on a canvas.
func expectedOf(t *testing.T, m *detector.Model, info detector.Info, kind string, all []*picture.Picture, s, canvas data.Size) map[string]output {
	t.Helper()
	d, in, size := info.Config.Data, info.Config.Infer, data.Size{W: all[0].W, H: all[0].H}
	place, scene := picture.Input{Mean: d.Mean, Std: d.Std}, augment.Single(0, data.Scaling(size, s, false), canvas.W, canvas.H)
	each := 3 * canvas.W * canvas.H
	nhwc := make([]float32, len(all)*each)
	for i, p := range all {
		place.Draw(nhwc[i*each:(i+1)*each], scene, []picture.Source{{Picture: p, W: p.W, H: p.H}})
	}
	fx, fy := float64(float32(size.W)/float32(s.W)), float64(float32(size.H)/float32(s.H))
	if kind == Boxes {
		out := expected(t, m, info, kind, len(all), canvas.H, canvas.W, nhwc)
		for i, v := range out["boxes"].Data {
			if i%2 == 0 {
				v = min(v, float64(s.W)) * fx
			} else {
				v = min(v, float64(s.H)) * fy
			}
			out["boxes"].Data[i] = v
		}
		return out
	}
	net, err := m.Net(1, canvas.H, canvas.W)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(nhwc)
	if err != nil {
		t.Fatal(err)
	}
	boxes, scores, labels := output{}, output{}, output{}
	for _, f := range m.Decode(raw, 0, canvas.H, canvas.W, float32(s.W), float32(s.H),
		detector.Decoding{Score: float32(in.Score), TopK: in.TopK, Method: in.Method, NMS: float32(in.NMS), MaxDets: in.MaxDetections}) {
		b := f.Box
		if b.X2 <= b.X1 || b.Y2 <= b.Y1 {
			continue
		}
		boxes.Data = append(boxes.Data, float64(b.X1)*fx, float64(b.Y1)*fy, float64(b.X2)*fx, float64(b.Y2)*fy)
		scores.Data, labels.Data = append(scores.Data, float64(f.Score)), append(labels.Data, float64(f.Class))
	}
	n := len(scores.Data)
	boxes.Dims, scores.Dims, labels.Dims = []int{n, 4}, []int{n}, []int{n}
	return map[string]output{"boxes": boxes, "scores": scores, "labels": labels}
}

// A model with preprocessing takes images of any size as bytes, and gives what the image's preparation, the network and decoding give
// here: on the canvas of detect, and on a fixed one, onto which larger images are made to fit.
func TestPreprocess(t *testing.T) {
	dir := runtimeFolder(t)
	m, info := newModel(t, models["group norm"]) // to which the size of the canvas matters
	d := &info.Config.Data
	d.ShortSides, d.MaxSide, d.CanvasMultiple = []int{96}, 160, 64
	for _, o := range []Options{
		{Dynamic: true, Outputs: Boxes, Preprocess: true},
		{Dynamic: true, Outputs: Detections, Preprocess: true},
		{H: 128, W: 192, Outputs: Boxes, Batch: 2, Preprocess: true},
		{H: 96, W: 128, Outputs: Detections, Preprocess: true},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.onnx")
			if _, err := Export(m, info, path, o); err != nil {
				t.Fatal(err)
			}
			for i, size := range []data.Size{{W: 640, H: 427}, {W: 427, H: 640}, {W: 97, H: 61}, {W: 900, H: 31}, {W: 96, H: 96}} {
				pics := []*picture.Picture{scene(size.W, size.H, i)}
				if o.Outputs == Boxes {
					pics = append(pics, scene(size.W, size.H, 9+i))
				}
				s := data.Resized(size, 96, 160)
				canvas := s.Up(64)
				if !o.Dynamic {
					canvas = data.Size{W: o.W, H: o.H}
					side := o.W
					if size.H > size.W {
						side = o.H
					}
					s = data.Resized(size, 96, min(side, 160))
				}
				if s.W > canvas.W || s.H > canvas.H {
					t.Fatalf("%v is no size on a canvas of %v", s, canvas)
				}
				var raw []byte
				for _, p := range pics {
					raw = append(raw, p.Pix...)
				}
				got := inRuntime(t, dir, path, "uint8", raw, len(pics), size.H, size.W, 3)
				want := expectedOf(t, m, info, o.Outputs, pics, s, canvas)
				if len(got) != len(want) {
					t.Errorf("%v: %d outputs, want %d", size, len(got), len(want))
				}
				for name, w := range want {
					compare(t, fmt.Sprintf("%v: %s", size, name), got[name], w)
				}
			}
		})
	}
}

// A class whose own score is below infer.score is among the detections.
func TestLeastScore(t *testing.T) {
	info := detector.Info{}
	info.Config.Infer.Score = .05
	for _, k := range []struct {
		scores []float64
		want   float64
	}{{nil, .05}, {[]float64{.3, .6}, .05}, {[]float64{.3, .01}, .01}, {[]float64{0, .2}, .05}} {
		info.Scores = k.scores
		if got := leastScore(info); got != k.want {
			t.Errorf("scores %v: %g, want %g", k.scores, got, k.want)
		}
	}
}
