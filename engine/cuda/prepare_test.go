//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/augment"
	"retinago/box"
	"retinago/engine"
	"retinago/internal/media/picture"
)

var imageNet = picture.Input{Mean: [3]float32{.485, .456, .406}, Std: [3]float32{.229, .224, .225}}

// prepared compares what the engine draws with what the host does, within 1e-5.
func prepared(t *testing.T, scenes []augment.Scene, sources [][]picture.Source) {
	t.Helper()
	const size = 3 * canvasH * canvasW
	n := len(scenes)
	want, canvases := make([]float32, n*size), make([]engine.Canvas, n)
	for i, s := range scenes {
		imageNet.Draw(want[i*size:(i+1)*size], s, sources[i])
		canvases[i] = imageNet.Canvas(s, sources[i])
	}
	e := start(t)
	images := put(t, e, like(n*size, 7), n, canvasH, canvasW, 3)
	defer e.Release(images)
	must(t, e.Prepare(images, canvases))
	for i, v := range get(t, e, images) {
		if !close32(v, want[i], 1e-5) {
			t.Fatalf("canvas %d, %+v: column %d, row %d, channel %d is %g, the host's %g", i/size, scenes[i/size], i/3%canvasW, i/3/canvasW%canvasH, i%3, v, want[i])
		}
	}
}

// image is an image of made-up bytes.
func image(w, h, i int) picture.Source {
	p := picture.New(w, h)
	for j := range p.Pix {
		p.Pix[j] = uint8(j * j * (i + 3) >> 3)
	}
	return picture.Source{Picture: p, W: w, H: h}
}

// The engine draws canvases as the host does: images that become larger and smaller, mirrored ones, single pixels, empty canvases.
func TestPrepare(t *testing.T) {
	type source struct{ fromW, fromH, w, h int }
	all := []source{{97, 61, 64, 40}, {20, 33, 64, 96}, {1, 1, 7, 5}, {64, 96, 64, 96}, {300, 2, 1, 1}, {2, 300, 33, 95}}
	for threads := range blocks() {
		for _, flip := range []bool{false, true} {
			t.Run(fmt.Sprint(threads, " threads, mirrored ", flip), func(t *testing.T) {
				var scenes []augment.Scene
				var sources [][]picture.Source
				for i, s := range all {
					position := augment.Scale(float64(s.w)/float64(s.fromW), float64(s.h)/float64(s.fromH))
					if flip {
						position = position.Then(augment.FlipX(float64(s.w)))
					}
					scenes = append(scenes, augment.Single(i, position, canvasW, canvasH))
					sources = append(sources, []picture.Source{image(s.fromW, s.fromH, i)})
				}
				scenes, sources = append(scenes, augment.Scene{W: canvasW, H: canvasH}), append(sources, nil)
				prepared(t, scenes, sources)
			})
		}
	}
}

// Random scenes: layers that are turned, sheared, in other colours, clipped, mixed, of images that were decoded at half their size, and
// areas without an image.
func TestPrepareScenes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	rectangle := func() box.Box {
		x, y := between(-10, canvasW), between(-10, canvasH)
		return box.Box{X1: float32(x), Y1: float32(y), X2: float32(x + between(1, 80)), Y2: float32(y + between(1, 80))}
	}
	for threads := range blocks() {
		t.Run(fmt.Sprint(threads, " threads"), func(t *testing.T) {
			var scenes []augment.Scene
			var sources [][]picture.Source
			for range 60 {
				s := augment.Scene{W: canvasW, H: canvasH}
				var images []picture.Source
				for k := range 1 + r.IntN(4) {
					v := image(1+r.IntN(70), 1+r.IntN(70), k)
					v.W, v.H = v.W*(1+r.IntN(2)), v.H*(1+r.IntN(2))
					l := augment.Layer{Position: augment.Scale(between(-3, 3), between(.2, 3)), Clip: rectangle(), Weight: float32(between(-1, 2))}
					l.Weight = min(max(l.Weight, 0), 1)
					if r.IntN(3) > 0 {
						l.Position = l.Position.Then(augment.Rotate(between(-4, 4))).Then(augment.Shear(between(-.5, .5), 0))
					}
					l.Position = l.Position.Then(augment.Translate(between(-20, 60), between(-20, 60)))
					if r.IntN(2) == 0 {
						for i := range l.Colour.M {
							l.Colour.M[i] = float32(between(-.3, .8))
						}
					}
					if r.IntN(3) == 0 {
						l.Colour.Gamma = float32(between(.4, 2.5))
					}
					s.Layers, images = append(s.Layers, l), append(images, v)
				}
				for range r.IntN(3) {
					s.Fill = append(s.Fill, rectangle())
				}
				scenes, sources = append(scenes, s), append(sources, images)
			}
			prepared(t, scenes, sources)
		})
	}
}

func TestPrepareErrors(t *testing.T) {
	e := start(t)
	images := put(t, e, make([]float32, 2*3*canvasH*canvasW), 2, canvasH, canvasW, 3)
	defer e.Release(images)
	c := imageNet.Canvas(augment.Single(0, augment.Identity, canvasW, canvasH), []picture.Source{image(9, 9, 1)})
	must(t, e.Prepare(images, []engine.Canvas{{}, c}))
	if err := e.Prepare(images, []engine.Canvas{c}); err == nil {
		t.Error("too few canvases")
	}
	c.Layers[0].Pix = c.Layers[0].Pix[3:]
	if err := e.Prepare(images, []engine.Canvas{{}, c}); err == nil || !strings.Contains(err.Error(), "canvas 1, layer 0: 240 bytes of 9x9") {
		t.Errorf("an image without its last pixel: %v", err)
	}
}
