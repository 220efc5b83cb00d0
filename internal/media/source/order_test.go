package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Names come in the order in which people number them.
func TestNatural(t *testing.T) {
	for _, want := range []string{
		"frame1 frame2 frame10 frame11 frame100",
		"1.jpg 2.jpg 9.jpg 10.jpg 99.jpg 100.jpg",
		"000001.png 000002.png 000010.png",
		"001.jpg 01.jpg 1.jpg 2.jpg",
		"a b c", "A B a b", "a a1 a1b a2 ab",
		"img1_frame2.jpg img1_frame10.jpg img2_frame1.jpg",
		"x-1 x-2 x-10", "v1.2 v1.10 v2.1",
		"shot_18446744073709551615 shot_18446744073709551616 shot_99999999999999999999999",
		"2024-01-02 2024-01-10 2024-02-01",
	} {
		names := strings.Fields(want)
		for range 20 {
			got := slices.Clone(names)
			rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
			slices.SortFunc(got, natural)
			if !slices.Equal(got, names) {
				t.Errorf("%q, want %q", got, names)
			}
		}
	}
	// An order is one whatever the names: no two are equal, and it is transitive.
	var all []string
	for range 200 {
		all = append(all, fmt.Sprintf("%0*d%c%d", rand.IntN(4), rand.IntN(20), 'a'+rand.IntN(2), rand.IntN(3)))
	}
	for _, a := range all {
		for _, b := range all {
			if (natural(a, b) == 0) != (a == b) || natural(a, b) > 0 != (natural(b, a) < 0) {
				t.Fatalf("%s and %s", a, b)
			}
			for _, c := range all[:40] {
				if natural(a, b) < 0 && natural(b, c) < 0 && natural(a, c) >= 0 {
					t.Fatalf("%s, %s and %s", a, b, c)
				}
			}
		}
	}
}

// Images that come together are a series of their folder; one that is named alone is none.
func TestSeries(t *testing.T) {
	dir := tree(t, "img/1.jpg", "img/2.jpg", "img/10.jpg", "img/sub/1.png", "one/a.jpg", "clip/a.mp4")
	for _, k := range []struct{ sources, stdin, want string }{
		{"img", "", "img/1.jpg:img img/2.jpg:img img/10.jpg:img img/sub/1.png:img/sub"},
		{"img/*.jpg", "", "img/1.jpg:img img/2.jpg:img img/10.jpg:img"},
		{"img/1.jpg img/2.jpg", "", "img/1.jpg:img img/2.jpg:img"},
		{"img/1.jpg", "", "img/1.jpg:"},
		{"img/1.jpg one/a.jpg", "", "img/1.jpg: one/a.jpg:"},
		{"one", "", "one/a.jpg:one"},
		{"-", "img/10.jpg img/1.jpg", "img/10.jpg:img img/1.jpg:img"},
	} {
		var sources []string
		for _, s := range strings.Fields(k.sources) {
			if s != "-" {
				s = filepath.Join(dir, s)
			}
			sources = append(sources, s)
		}
		var lines []string
		for _, l := range strings.Fields(k.stdin) {
			lines = append(lines, filepath.Join(dir, l))
		}
		s, err := Open(sources, Options{Stdin: strings.NewReader(strings.Join(lines, "\n"))})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for f := range s.Frames(context.Background()) {
			path, _ := filepath.Rel(dir, f.Path)
			series := ""
			if f.Series != "" {
				series, _ = filepath.Rel(dir, f.Series)
			}
			got = append(got, path+":"+series)
		}
		if text := strings.Join(got, " "); text != k.want {
			t.Errorf("%s: %s, want %s", k.sources, text, k.want)
		}
	}
}
