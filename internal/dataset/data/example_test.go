package data_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"retinago/config"
	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
)

// Batches of a synthetic dataset, on canvases that suit its images.
func Example() {
	dir, err := os.MkdirTemp("", "shapes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := data.Shapes(dir, data.ShapesOptions{Train: 8, Val: 1, Size: 128, MaxSize: 60}); err != nil {
		log.Fatal(err)
	}
	d, err := data.Open(convert.Source{Path: filepath.Join(dir, "train.json"), Images: filepath.Join(dir, "train")})
	if err != nil {
		log.Fatal(err)
	}
	c := config.Default().Data
	c.ShortSides, c.MaxSide = []int{96}, 128
	l, err := data.NewLoader(d, c, data.LoaderOptions{Batch: 4, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	for range l.BatchesPerEpoch() {
		b, _, err := l.Next(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d images on canvases of %dx%d\n", b.N, b.W, b.H)
		b.Release()
	}
	// Output:
	// 4 images on canvases of 128x128
	// 4 images on canvases of 128x128
}
