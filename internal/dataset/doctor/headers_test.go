package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stock is a folder with the least number of images that are cached. All but the first are links to one file.
func stock(t *testing.T) (dir string, paths []string) {
	t.Helper()
	dir = t.TempDir()
	put(t, filepath.Join(dir, "0.jpg"), 80, 60)
	paths = []string{filepath.Join(dir, "0.jpg")}
	put(t, filepath.Join(dir, "first"), 64, 48)
	for i := 1; i < leastCached; i++ {
		path := filepath.Join(dir, fmt.Sprint(i, ".jpg"))
		if err := os.Link(filepath.Join(dir, "first"), path); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return dir, paths
}

// Sizes are read once. A file that has changed is read again, and so are all where the cache is damaged or cannot be written.
func TestHeadersOnce(t *testing.T) {
	dir, paths := stock(t)
	cache := filepath.Join(t.TempDir(), "sizes")
	read := func(what string, cache string, want int64) {
		t.Helper()
		r := Headers{Cache: cache}
		got, err := r.read(t.Context(), dir, paths)
		if err != nil {
			t.Fatal(err)
		}
		if n := r.opened.Load(); n != want {
			t.Errorf("%s: %d files are opened, want %d", what, n, want)
		}
		if got[0].w != 80 || got[0].h != 60 || got[9].w != 64 || got[len(got)-1].h != 48 || got[5].err != nil {
			t.Errorf("%s: %v", what, got[:10])
		}
	}
	kept := func() string {
		t.Helper()
		all, err := filepath.Glob(filepath.Join(cache, "*"))
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		return all[0]
	}
	read("first", cache, leastCached)
	read("second", cache, 0)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(paths[0], later, later); err != nil {
		t.Fatal(err)
	}
	read("another time", cache, 1)
	read("another time, again", cache, 0)
	if err := os.WriteFile(paths[0], append(bytesOf(t, paths[0]), 0), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(paths[0], later, later); err != nil {
		t.Fatal(err)
	}
	read("another size", cache, 1)
	read("another size, again", cache, 0)

	whole := bytesOf(t, kept())
	for what, b := range map[string][]byte{
		"an empty cache":              nil,
		"a cut cache":                 whole[:len(whole)/2],
		"a changed size":              bytes.Replace(whole, []byte(" 64 48 "), []byte(" 48 64 "), 1),
		"a cache of another version":  bytes.Replace(whole, []byte("sizes 1 "), []byte("sizes 2 "), 1),
		"an image for a cache":        bytesOf(t, paths[0]),
		"a cache with another ending": append(bytes.Clone(whole), "1 2 3 4 \"x\"\n"...),
	} {
		if err := os.WriteFile(kept(), b, 0o644); err != nil {
			t.Fatal(err)
		}
		read(what, cache, leastCached)
		read(what+", repaired", cache, 0)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	read("a file for the folder", file, leastCached)
	read("a folder that cannot be made", filepath.Join(file, "x"), leastCached)
	if got := bytesOf(t, file); string(got) != "mine" {
		t.Errorf("the file is %q", got)
	}
	read("no cache", "", leastCached)
}

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Parts of a folder share its cache; images elsewhere and names with line ends are kept too. Broken ones are read each time.
func TestCacheOfParts(t *testing.T) {
	dir, paths := stock(t)
	odd := filepath.Join(dir, "a \"b\"\n c.jpg")
	far := filepath.Join(t.TempDir(), "far.jpg")
	put(t, odd, 80, 60)
	put(t, far, 80, 60)
	broken := filepath.Join(dir, "broken.jpg")
	if err := os.WriteFile(broken, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	read := func(paths []string, want int64) {
		t.Helper()
		r := Headers{Cache: cache}
		if _, err := r.read(t.Context(), dir, paths); err != nil {
			t.Fatal(err)
		}
		if n := r.opened.Load(); n != want {
			t.Errorf("%d files are opened, want %d", n, want)
		}
	}
	all := append([]string{odd, far, broken}, paths...)
	read(paths, leastCached)
	read(all, 3)
	read(all, 1)
	read(paths, 0)
	read(paths[:10], 10) // so few are read as fast without a cache
}

// What was read for a format that does not say sizes is not read again by the examination.
func TestSizesOnce(t *testing.T) {
	d, dir := clean(t, 4)
	var paths []string
	for _, im := range d.Images {
		paths = append(paths, filepath.Join(dir, im.FileName))
	}
	rotate(t, paths[1], 6)
	if err := os.WriteFile(paths[2], []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := &Headers{}
	size := r.Sizes(dir, paths[:3])
	for i, want := range [][2]int{{80, 60}, {60, 80}, {0, 0}, {80, 60}} {
		if w, h, err := size(paths[i]); w != want[0] || h != want[1] || (err != nil) != (i == 2) {
			t.Errorf("%s: %dx%d, %v", paths[i], w, h, err)
		}
	}
	got := found(t, d, Options{Images: dir, Run: true, Headers: r})
	if n := r.opened.Load(); n != 4 || len(got) != 2 {
		t.Errorf("%d files are opened, want each of 4 once; %v", n, got)
	}
}

// Only so many folders are kept.
func TestCachePrunes(t *testing.T) {
	cache := t.TempDir()
	for i := range maxFiles + 5 {
		path := filepath.Join(cache, fmt.Sprintf("%03d.txt", i))
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-1000) * time.Minute)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(cache, "other")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, paths := stock(t)
	r := Headers{Cache: cache}
	if _, err := r.read(t.Context(), dir, paths); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(cache, "*.txt"))
	if len(left) != maxFiles || strings.HasSuffix(left[0], "000.txt") {
		t.Errorf("%d are left, the first is %s", len(left), left[0])
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

// Reading ends with its context.
func TestHeadersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir, paths := stock(t)
	if _, err := new(Headers).read(ctx, dir, paths); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Long work is reported with the time that is left.
func TestHeadersProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := Headers{Log: &log}
		var done atomic.Int64
		done.Store(50)
		stop := r.report(&done, 200)
		time.Sleep(period + period/2)
		stop()
		want := fmt.Sprintf("images  sizes of 50 of 200 read, %s left\n", 3*period)
		if log.String() != want {
			t.Errorf("%q, want %q", &log, want)
		}
	})
}
