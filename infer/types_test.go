package infer

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"retinago/config"
)

// The names of this package are enough to make images, frames and datasets, as a program that cannot name internal packages does.
func TestOwnNames(t *testing.T) {
	black := NewPicture(40, 30)
	if black.W != 40 || black.H != 30 || len(black.Pix) != 40*30*3 {
		t.Fatalf("a picture of %dx%d with %d bytes", black.W, black.H, len(black.Pix))
	}
	m := image.NewGray(image.Rect(0, 0, 3, 2))
	m.Set(0, 0, color.Gray{Y: 7})
	gray := FromImage(m)
	if gray.W != 3 || gray.H != 2 || gray.Pix[0] != 7 {
		t.Errorf("%+v", gray)
	}
	if err := Draw(black, Marks([]Detection{{Class: 1, Score: .5}})); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := black.WritePNG(path); err != nil {
		t.Fatal(err)
	}
	n := 0
	for f := range Files(path)(t.Context()) {
		if n++; f.Name == "" {
			t.Errorf("%+v", f)
		}
	}
	set, err := OpenSources([]string{dir}, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range set.Frames(t.Context()) {
		n++
	}
	if n != 2 {
		t.Errorf("%d frames of two", n)
	}
	annotations := filepath.Join(dir, "a.json")
	text := `{"images":[{"id":1,"file_name":"a.png","width":40,"height":30}],"categories":[{"id":1,"name":"x"}],"annotations":[]}`
	if err := os.WriteFile(annotations, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDataset(config.Data{}, config.Set{Source: annotations, Images: dir})
	if err != nil || d.Len() != 1 {
		t.Errorf("%v, %v", d, err)
	}
}
