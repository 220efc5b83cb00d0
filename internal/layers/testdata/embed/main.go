// Command embed is another module's program: it trains, detects, serves and computes a loss with the functions of docs/embed.md.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"retinago/infer"
	"retinago/loss"
	"retinago/serve"
	"retinago/track"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("done")
}

func run(ctx context.Context, dir string) error {
	m, annotations, err := dataset(dir)
	if err != nil {
		return err
	}
	out := filepath.Join(dir, "run")
	if err := learn(ctx, annotations, dir, out, 1); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	checkpoint := filepath.Join(out, "last.safetensors")
	if err := detect(ctx, checkpoint, m); err != nil {
		return fmt.Errorf("detect: %w", err)
	}
	b, err := os.ReadFile(checkpoint)
	if err != nil {
		return err
	}
	p, err := infer.LoadFrom(bytes.NewReader(b), int64(len(b)), infer.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	if err := predict(ctx, p, m); err != nil {
		return err
	}
	if err := request(p, m); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	// A sure positive, a sure negative and an ignored row of two classes: by hand, .25 (1-s)^2 ln(1/s) and .75 s^2 ln(1/(1-s)).
	sum, gradient := focal([]float32{0, 0, 0, 0, 0, 0}, []int32{1, loss.Background, loss.Ignored})
	want := (.25 + 3*.75) * .25 * math.Ln2
	if math.Abs(sum-want) > 1e-6 || gradient[1] >= 0 || gradient[0] <= 0 || gradient[4] != 0 {
		return fmt.Errorf("loss %g, want %g, gradient %v", sum, want, gradient)
	}
	return nil
}

// predict names the types of infer's signatures: images, batches and streams.
func predict(ctx context.Context, p *infer.Predictor, m image.Image) error {
	var times infer.Times
	var pic *infer.Picture = infer.FromImage(m)
	found, err := p.Predict(ctx, pic, infer.WithScore(.001), infer.WithTimes(&times), infer.WithChoice(infer.Choice{Flip: true}))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("predict: %d detections at a score of .001, %w", len(found), err)
	}
	in, err := p.Prepare(pic, infer.Size{W: pic.W, H: pic.H})
	if err != nil {
		return err
	}
	defer in.Release()
	if _, _, err := p.PredictBatch(ctx, []*infer.Input{in}); err != nil {
		return err
	}
	objects := []track.Object{{Box: found[0].Box, Score: .9}}
	track.NewFollower(track.Options{}).Next(0, "video", "video", objects, func(int) string { return "square" })
	if objects[0].Track != 1 {
		return fmt.Errorf("track: %+v", objects)
	}
	return infer.Draw(pic, infer.Marks(found))
}

// request asks a server in a mux of this program.
func request(p *infer.Predictor, m image.Image) error {
	mux := http.NewServeMux()
	s, err := handle(mux, p)
	if err != nil {
		return err
	}
	defer s.Close()
	host := httptest.NewServer(mux)
	defer host.Close()
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		return err
	}
	r, err := http.Post(host.URL+"/detector/v1/detect", "image/png", &file)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var a serve.Answer
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.StatusCode != http.StatusOK || a.Width != m.Bounds().Dx() {
		return fmt.Errorf("status %d, %+v, %w", r.StatusCode, a, err)
	}
	return nil
}

// dataset writes two images of a square and their annotations.
func dataset(dir string) (m *image.RGBA, annotations string, err error) {
	type object map[string]any
	var images, objects []object
	for i := range 2 {
		m = image.NewRGBA(image.Rect(0, 0, 120, 96))
		for y := 20; y < 60; y++ {
			for x := 30 + 10*i; x < 70+10*i; x++ {
				m.Set(x, y, color.RGBA{R: 255, G: 200, A: 255})
			}
		}
		name := fmt.Sprintf("%d.png", i)
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			return nil, "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			return nil, "", err
		}
		images = append(images, object{"id": i + 1, "file_name": name, "width": 120, "height": 96})
		objects = append(objects, object{"id": i + 1, "image_id": i + 1, "category_id": 1, "bbox": []int{30 + 10*i, 20, 40, 40}, "area": 1600, "iscrowd": 0})
	}
	js, err := json.Marshal(object{"images": images, "annotations": objects, "categories": []object{{"id": 1, "name": "square"}}})
	if err != nil {
		return nil, "", err
	}
	annotations = filepath.Join(dir, "train.json")
	return m, annotations, os.WriteFile(annotations, js, 0o644)
}
