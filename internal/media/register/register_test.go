package register

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"retinago/internal/file"
)

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// result is a file as an earlier run wrote it.
func result(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := file.Put(path, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if !file.Mine(path) {
		t.Skip("this file system keeps no extended attributes")
	}
	return path
}

func link(t *testing.T, of func(from, to string) error, from, to string) string {
	t.Helper()
	if err := of(from, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// A file that an option names is written only where nothing of the user's is lost.
func TestFile(t *testing.T) {
	for _, k := range []struct {
		name      string
		path      func(t *testing.T, dir string) string
		overwrite bool
		want      string // in the error; empty for none
	}{
		{"absent", func(t *testing.T, dir string) string { return filepath.Join(dir, "x") }, false, ""},
		{"standard output", func(*testing.T, string) string { return "-" }, false, ""},
		{"not given", func(*testing.T, string) string { return "" }, false, ""},
		{"device", func(*testing.T, string) string { return os.DevNull }, false, ""},
		{"pipe", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "p")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, false, ""},
		{"empty", func(t *testing.T, dir string) string { return put(t, filepath.Join(dir, "x"), "") }, false, ""},
		{"of others", func(t *testing.T, dir string) string { return put(t, filepath.Join(dir, "x"), "notes") }, false, "-overwrite"},
		{"of others, with overwrite", func(t *testing.T, dir string) string { return put(t, filepath.Join(dir, "x"), "notes") }, true, ""},
		{"earlier result", func(t *testing.T, dir string) string { return result(t, filepath.Join(dir, "x"), "[]") }, false, ""},
		{"earlier result, changed since", func(t *testing.T, dir string) string {
			path := result(t, filepath.Join(dir, "x"), "[]")
			return put(t, path, "corrected by hand")
		}, false, "unchanged result"},
		{"result of another verb", func(t *testing.T, dir string) string {
			file.SignAs("train")
			defer file.SignAs("detect")
			return result(t, filepath.Join(dir, "x"), "weights")
		}, false, "earlier detect"},
		{"copy of a result", func(t *testing.T, dir string) string {
			b, err := os.ReadFile(result(t, filepath.Join(dir, "y"), "[]"))
			if err != nil {
				t.Fatal(err)
			}
			return put(t, filepath.Join(dir, "x"), string(b))
		}, false, "-overwrite"},
		{"link to a file of others", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, put(t, filepath.Join(dir, "x"), "notes"), filepath.Join(dir, "l"))
		}, false, "-overwrite"},
		{"link to a result", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, result(t, filepath.Join(dir, "x"), "[]"), filepath.Join(dir, "l"))
		}, false, ""},
		{"link to nothing", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, filepath.Join(dir, "gone"), filepath.Join(dir, "l"))
		}, false, "leads nowhere"},
		{"the input", func(t *testing.T, dir string) string { return filepath.Join(dir, "input") }, true, "what -data names"},
		{"the input by another path", func(t *testing.T, dir string) string { return filepath.Join(dir, "sub", "..", "input") }, true, "what -data names"},
		{"link to the input", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, "input", filepath.Join(dir, "l"))
		}, true, "what -data names"},
		{"hard link to the input", func(t *testing.T, dir string) string {
			return link(t, os.Link, filepath.Join(dir, "input"), filepath.Join(dir, "l"))
		}, true, "what -data names"},
		{"input through a linked folder", func(t *testing.T, dir string) string {
			return filepath.Join(link(t, os.Symlink, dir, filepath.Join(dir, "d")), "input")
		}, true, "what -data names"},
		{"a folder", func(t *testing.T, dir string) string { return filepath.Join(dir, "sub") }, true, "is a folder"},
		{"255 bytes", func(t *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("x", 255)) }, false, ""},
		{"256 bytes", func(t *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("x", 256)) }, false, "too long"},
		{"reserved on other systems", func(t *testing.T, dir string) string { return filepath.Join(dir, "con.json") }, false, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			file.SignAs("detect")
			dir := t.TempDir()
			g := New(Options{Overwrite: k.overwrite})
			put(t, filepath.Join(dir, "sub", "y"), "y")
			g.Input("what -data names", put(t, filepath.Join(dir, "input"), "{}"))
			err := g.File("-json", k.path(t, dir))
			if k.want == "" && err != nil || k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)) {
				t.Errorf("%v, want an error with %q", err, k.want)
			}
			if k.want == "what -data names" && (!errors.Is(err, ErrTaken) || strings.Contains(err.Error(), "-overwrite")) {
				t.Errorf("%v: an input is never replaced, and no option helps", err)
			}
		})
	}
}

// Two options never name one file, however they spell it.
func TestTwice(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, filepath.Join(dir, "d", "x"), "")
	link(t, os.Symlink, "d", filepath.Join(dir, "l"))
	for _, k := range []struct {
		a, b string
		want bool
	}{
		{"x", "x", true}, {"x", "./x", true}, {"x", filepath.Join(dir, "x"), true}, {"x", "X", true}, {"d/x", "l/x", true}, {"d/x", "d/../d/x", true},
		{"é", "e\u0301", true}, {"x", "y", false}, {"d/x", "x", false}, {"x.csv", "x.json", false}, {"-", "-", false}, {os.DevNull, os.DevNull, false},
	} {
		g := New(Options{})
		if err := g.File("-csv", k.a); err != nil {
			t.Fatal(err)
		}
		if err := g.File("-json", k.b); errors.Is(err, ErrTwice) != k.want {
			t.Errorf("%q and %q: %v", k.a, k.b, err)
		}
	}
}

// Of the files below a folder that the run reads only its own results are replaced.
func TestInputFolder(t *testing.T) {
	dir := t.TempDir()
	own := result(t, filepath.Join(dir, "in", "deep", "own.json"), "1")
	theirs := put(t, filepath.Join(dir, "in", "deep", "theirs.json"), "1")
	beside := put(t, filepath.Join(dir, "in2", "theirs.json"), "1")
	linked := link(t, os.Symlink, filepath.Join(dir, "in"), filepath.Join(dir, "linked"))
	for _, overwrite := range []bool{false, true} {
		g := New(Options{Overwrite: overwrite})
		g.InputFolder("the dataset", linked)
		g.InputFolder("nothing", filepath.Join(dir, "absent"))
		g.InputFolder("a file", beside)
		for path, want := range map[string]bool{own: true, theirs: false, filepath.Join(linked, "deep", "theirs.json"): false, filepath.Join(dir, "in", "new.json"): true, beside: overwrite} {
			err := g.File("-json", path)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrTaken) {
				t.Errorf("overwrite %v, %s: %v", overwrite, path, err)
			}
			if err != nil && path != beside && (!strings.Contains(err.Error(), "part of the dataset") || strings.Contains(err.Error(), "-overwrite")) {
				t.Error(err)
			}
		}
	}
}
