package source_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"retinago/internal/media/source"
)

func Example() {
	dir, err := os.MkdirTemp("", "source")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"b.jpg", "a.png", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	set, err := source.Open([]string{dir}, source.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for f := range set.Frames(context.Background()) {
		fmt.Println(f.Index, f.Name)
	}
	// Output:
	// 0 a.png
	// 1 b.jpg
}
