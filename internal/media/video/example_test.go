//go:build opencv

package video_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

func Example() {
	dir, err := os.MkdirTemp("", "video")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "dark.mp4")
	w, err := video.Create(path, 64, 48, 25)
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		if err := w.Write(picture.New(64, 48)); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	r, err := video.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	for {
		p, at, err := r.Read()
		if errors.Is(err, video.ErrEnd) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%dx%d at %v\n", p.W, p.H, at)
	}
	// Output:
	// 64x48 at 0s
	// 64x48 at 40ms
	// 64x48 at 80ms
}
