//go:build gpu && linux && amd64

package cuda_test

import (
	"fmt"
	"strings"
	"testing"

	"retinago/engine"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// The engine prepares pictures as the host does, within 1e-5: larger and smaller ones, mirrored ones, single pixels, empty canvases.
func TestPrepare(t *testing.T) {
	type source struct{ fromW, fromH, w, h int }
	sources := []source{{97, 61, 64, 40}, {20, 33, 64, 96}, {1, 1, 7, 5}, {64, 96, 64, 96}, {300, 2, 1, 1}, {2, 300, 33, 95}}
	mean, std := [3]float32{.485, .456, .406}, [3]float32{.229, .224, .225}
	for threads := range blocks() {
		e := start(t)
		for _, flip := range []bool{false, true} {
			t.Run(fmt.Sprint(threads, " threads, mirrored ", flip), func(t *testing.T) {
				n := len(sources) + 1
				const size = 3 * canvasH * canvasW
				want := make([]float32, n*size)
				pictures := make([]engine.Picture, n)
				for i, s := range sources {
					p := picture.New(s.fromW, s.fromH)
					for j := range p.Pix {
						p.Pix[j] = uint8(j * j * (i + 3) >> 3)
					}
					in := picture.Input{W: s.w, H: s.h, CanvasW: canvasW, CanvasH: canvasH, Mean: mean, Std: std, Flip: flip}
					in.Fill(want[i*size:(i+1)*size], p)
					pictures[i] = data.Placed(in, p)
				}
				images := put(t, e, like(n*size, 7), n, canvasH, canvasW, 3)
				must(t, e.Prepare(images, pictures))
				for i, v := range get(t, e, images) {
					if !close32(v, want[i], 1e-5) {
						t.Fatalf("picture %d: value %d is %g, the host's %g", i/size, i%size, v, want[i])
					}
				}
				pictures[1].Pix = pictures[1].Pix[3:]
				if err := e.Prepare(images, pictures); err == nil || !strings.Contains(err.Error(), "picture 1") {
					t.Errorf("a picture without its last pixel: %v", err)
				}
				if err := e.Prepare(images, pictures[1:]); err == nil {
					t.Error("too few pictures")
				}
				e.Release(images)
			})
		}
	}
}
