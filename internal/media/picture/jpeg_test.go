//go:build opencv

package picture

import (
	"bytes"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

// libjpeg gives OpenCV's numbers, whole and reduced.
func TestJPEGIsOpenCVs(t *testing.T) {
	files := map[string][]byte{}
	for _, s := range [][2]int{{1, 1}, {1, 9}, {64, 48}, {67, 45}} {
		p := gradient(s[0], s[1])
		files[filepath.Join("made", string(rune('a'+len(files))))] = encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, p.Image(), nil) })
	}
	filepath.WalkDir(filepath.Join(goroot(t), "src", "image", "testdata"), func(path string, _ fs.DirEntry, err error) error {
		if b, read := os.ReadFile(path); err == nil && read == nil && strings.HasSuffix(path, ".jpeg") {
			files[path] = b
		}
		return nil
	})
	for name, b := range files {
		head, err := check(b, nil)
		if err != nil {
			continue // the suite has cut ones
		}
		for denom, flag := range map[int]gocv.IMReadFlag{1: gocv.IMReadColor, 2: gocv.IMReadReducedColor2, 4: gocv.IMReadReducedColor4, 8: gocv.IMReadReducedColor8} {
			if head.jpeg.components == 4 && denom > 1 {
				continue // CMYK is reduced by our means
			}
			got, err := decodeJPEG(t.Context(), b, head, denom)
			if err != nil {
				t.Errorf("%s at 1/%d: %v", name, denom, err)
				continue
			}
			m, err := gocv.IMDecode(b, flag|gocv.IMReadIgnoreOrientation)
			if err != nil {
				t.Fatal(err)
			}
			want := fromMat(t, m)
			if d := farthest(want, got); d != 0 {
				t.Errorf("%s at 1/%d: %dx%d, OpenCV has %dx%d; a pixel is off by %d", name, denom, got.W, got.H, want.W, want.H, d)
			}
		}
	}
}

func fromMat(t *testing.T, m gocv.Mat) *Picture {
	t.Helper()
	defer m.Close()
	p := New(m.Cols(), m.Rows())
	for y := range p.H {
		for x := range p.W {
			v := m.GetVecbAt(y, x)
			p.Set(x, y, v[2], v[1], v[0])
		}
	}
	return p
}
