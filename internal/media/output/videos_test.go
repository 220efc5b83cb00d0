//go:build opencv

package output

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/source"
	"retinago/internal/media/video"
)

// One copy for each video, one after another of an input and side by side of two; another size begins another part.
func TestVideos(t *testing.T) {
	dir := t.TempDir()
	var told []string
	v := NewVideos(to(filepath.Join(dir, "out")), func(text string) { told = append(told, text) })
	a, b, live := &source.Video{Rate: 10}, &source.Video{Rate: 15}, &source.Video{Realtime: true, Input: 1}
	put := func(of *source.Video, name string, w int) {
		t.Helper()
		if err := v.Write(infer.Result{Frame: source.Frame{Name: name, Video: of}}, picture.New(w, 48)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		put(a, "sub/a.mp4", 64)
		put(live, "10.0.0.3", 64)
	}
	put(b, "a.AVI", 64)
	put(b, "a.AVI", 32)
	put(b, "a.AVI", 32)
	put(live, "10.0.0.3", 64)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, rate := range map[string]float64{"sub/a.mp4": 10, "a.AVI.mp4": 15, "a.AVI.part2.mp4": 15, "10.0.0.3.mp4": 25} {
		path := filepath.Join(dir, "out", name)
		r, err := video.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Format(); f.Rate != rate || f.Frames != map[string]int{"sub/a.mp4": 3, "a.AVI.mp4": 1, "a.AVI.part2.mp4": 2, "10.0.0.3.mp4": 4}[name] {
			t.Errorf("%s: %+v", name, f)
		}
		r.Close()
		if !slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, path+": ") && strings.Contains(s, "x48") }) {
			t.Errorf("%s is not told of: %q", path, told)
		}
		got = append(got, name)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "out", "*.mp4")); len(files) != len(got)-1 {
		t.Errorf("files %v", files)
	}
	// Where nothing can be written it is told.
	plain := filepath.Join(dir, "file")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	v = NewVideos(to(plain), nil)
	if err := v.Write(infer.Result{Frame: source.Frame{Name: "a.mp4", Video: a}}, picture.New(8, 8)); err == nil {
		t.Error("a file is no folder")
	}
}

// A video whose file, or whose file while it is written, is a link to elsewhere is left out, and told of once.
func TestVideosBelow(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"a.mp4", "b.part.mp4"} {
		if err := os.Symlink(filepath.Join(dir, "stolen"), filepath.Join(out, link)); err != nil {
			t.Fatal(err)
		}
	}
	v := NewVideos(to(out), func(string) {})
	for name, want := range map[string]int{"a.mp4": 1, "b.mp4": 1, "../c.mp4": 1, "d.mp4": 0} {
		of, refused := &source.Video{Rate: 10}, 0
		for range 3 {
			err := v.Write(infer.Result{Frame: source.Frame{Name: name, Video: of}}, picture.New(64, 48))
			if err != nil && !errors.Is(err, file.ErrName) {
				t.Fatal(err)
			}
			if err != nil {
				refused++
			}
		}
		if refused != want {
			t.Errorf("%s is refused %d times", name, refused)
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v is outside", entries)
	}
	if _, err := os.Stat(filepath.Join(out, "d.mp4")); err != nil {
		t.Error(err)
	}
}
