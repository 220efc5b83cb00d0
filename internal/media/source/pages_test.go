package source

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/internal/media/picture"
)

// animatedGIF is a GIF of n black frames of 8 x 6 pixels.
func animatedGIF(t *testing.T, n int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for range n {
		g.Image, g.Delay = append(g.Image, image.NewPaletted(image.Rect(0, 0, 8, 6), color.Palette{color.Black, color.White})), append(g.Delay, 4)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The frames of a GIF have names of their own, also beside files that are named so already; a still one has none.
func TestFramesOfFile(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	film := put("a.gif", animatedGIF(t, 3))
	put("a_000001.gif", animatedGIF(t, 1))
	put("b.gif", animatedGIF(t, 2)[:60]) // cut in its first frame
	put("c.gif", []byte("no picture"))
	if err := picture.New(8, 6).WritePNG(filepath.Join(dir, "d.png")); err != nil {
		t.Fatal(err)
	}
	read := func(name string, o Options) (names []string, series map[string]bool) {
		s, err := Open([]string{name}, o)
		if err != nil {
			t.Fatal(err)
		}
		var first []string
		s.Files(func(_, name string, _ bool) { first = append(first, name) })
		series = map[string]bool{}
		for f := range s.Frames(t.Context()) {
			series[f.Series] = true
			names = append(names, f.Name)
			if f.Index != len(names)-1 {
				t.Errorf("%s has the index %d", f.Name, f.Index)
			}
			release(f)
		}
		if !strings.HasPrefix(strings.Join(names, " "), first[0]) {
			t.Errorf("%s: the first name is %s, announced is %s", name, names[0], first[0])
		}
		return names, series
	}
	names, series := read(film, Options{})
	if got := strings.Join(names, " "); got != "a_000000.gif a_000001.gif a_000002.gif" || !series[film] || len(series) != 1 {
		t.Errorf("frames %s of the series %v", got, series)
	}
	if names, _ := read(film, Options{FirstPage: true}); len(names) != 1 || names[0] != "a.gif" {
		t.Errorf("the first frame alone: %v", names)
	}
	names, series = read(dir, Options{})
	if got := strings.Join(names, " "); got != "a_000000.gif a_000001.gif a_000002.gif a_000001_2.gif b.gif c.gif d.png" || !series[film] || !series[dir] {
		t.Errorf("a folder: %s of the series %v", got, series)
	}
}
