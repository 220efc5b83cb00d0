//go:build !nocv

package output

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/infer"
	"retinago/picture"
	"retinago/source"
	"retinago/video"
)

// One copy for each video, one after another in a lane and side by side in two; another size begins another part.
func TestVideos(t *testing.T) {
	dir := t.TempDir()
	var told []string
	v := NewVideos(filepath.Join(dir, "out"), func(text string) { told = append(told, text) })
	a, b, live := &source.Video{Rate: 10}, &source.Video{Rate: 15}, &source.Video{Live: true, Lane: 1}
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
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	v = NewVideos(file, nil)
	if err := v.Write(infer.Result{Frame: source.Frame{Name: "a.mp4", Video: a}}, picture.New(8, 8)); err == nil {
		t.Error("a file is no folder")
	}
}
