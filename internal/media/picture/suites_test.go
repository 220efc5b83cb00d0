package picture

import (
	"bytes"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// PngSuite: what is broken is refused, everything else is what Go's own decoder reads.
func TestPngSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t, "bad_images"), "png", "*.png"))
	if err != nil || len(files) < 170 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		p, err := Decode(f)
		if strings.HasPrefix(filepath.Base(f), "x") {
			if err == nil {
				t.Errorf("%s is broken and was decoded", f)
			} else if !strings.Contains(err.Error(), f) {
				t.Errorf("the error does not name %s: %v", f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s is sound: %v", f, err)
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		q := FromImage(m).turned(orientation(b))
		if p.W != q.W || p.H != q.H {
			t.Errorf("%s: %dx%d, want %dx%d", f, p.W, p.H, q.W, q.H)
			continue
		}
		worst := 0
		for i := range q.Pix {
			worst = max(worst, abs(int(p.Pix[i])-int(q.Pix[i])))
		}
		if worst > 1 && !transparent(m) {
			t.Errorf("%s: a pixel is off by %d", f, worst)
		}
	}
}

// transparent reports whether an image has pixels whose colour is lost after Go's premultiplication.
func transparent(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return !ok || !o.Opaque()
}

// Go's own test images: CMYK, progressive, odd samplings; and those that are cut.
func TestGoPictures(t *testing.T) {
	dir := filepath.Join(goroot(t), "src", "image", "testdata")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("this Go comes without its sources")
	}
	var jpegs int
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jpeg") && !strings.HasSuffix(path, ".png") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, _, ref := image.Decode(bytes.NewReader(b))
		p, err := Decode(path)
		if ref != nil {
			if err == nil {
				t.Errorf("%s was decoded, Go says: %v", path, ref)
			}
			return nil
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		jpegs++
		q := FromImage(m)
		sum := 0
		for i := range q.Pix {
			sum += abs(int(p.Pix[i]) - int(q.Pix[i]))
		}
		// Decoders differ in how they interpolate colour.
		if mean := float64(sum) / float64(len(q.Pix)); mean > 5 {
			t.Errorf("%s: differs from Go's decoder by %.1f on average", path, mean)
		}
		return nil
	})
	if err != nil || jpegs < 10 {
		t.Fatalf("%d pictures, %v", jpegs, err)
	}
}
