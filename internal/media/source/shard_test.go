package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The parts of a set are the whole: the same frames with the same names and indexes, each once, in the order of the parts.
func TestShard(t *testing.T) {
	dir := tree(t, "a/x.jpg", "a/y.PNG", "a/sub/x.jpg", "b/x.jpg", "b/x.png", "b/e.heic", "z/10.jpg", "z/9.jpg", "single.bmp")
	if err := os.WriteFile(filepath.Join(dir, "b", "film.gif"), animatedGIF(t, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	sources := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "z"), filepath.Join(dir, "single.bmp"), filepath.Join(dir, "a", "x.jpg")}
	frames := func(s Shard) (out, files []string) {
		set, err := Open(sources, Options{Shard: s})
		if err != nil {
			t.Fatal(err)
		}
		set.Files(func(path, _ string, _ bool) { files = append(files, path) })
		for f := range set.Frames(t.Context()) {
			out = append(out, fmt.Sprint(f.Index, f.Path, f.Name, f.Series, f.Count, f.Err))
		}
		return out, files
	}
	want, all := frames(Shard{})
	if len(want) != 13 || len(all) != 10 {
		t.Fatalf("%d frames of %d files:\n%s", len(want), len(all), strings.Join(want, "\n"))
	}
	for _, n := range []int{1, 2, 3, 7, 11, 30} {
		var got, files []string
		for i := range n {
			part, of := frames(Shard{i, n})
			if most := (11 + n - 1) / n; len(of) > most {
				t.Errorf("part %d of %d has %d files", i, n, len(of))
			}
			got, files = append(got, part...), append(files, of...)
		}
		if !slices.Equal(got, want) || !slices.Equal(files, all) {
			t.Errorf("%d parts:\n%s\nwant\n%s", n, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestShardRefuses(t *testing.T) {
	for _, name := range []string{"-", "cam:0", "rtsp://u:secret@host/a"} {
		_, err := Open([]string{name}, Options{Stdin: strings.NewReader(""), Shard: Shard{0, 2}})
		if err == nil || !strings.Contains(err.Error(), "no parts") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
