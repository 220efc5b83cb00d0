package file

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file is its author's as long as its content is what the author wrote.
func TestMine(t *testing.T) {
	dir := t.TempDir()
	SignAs("detect")
	defer author.Store(nil)
	path := filepath.Join(dir, "a")
	put := func() error { return Put(path, []byte("result")) }
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if !Mine(path) {
		t.Skip("this file system keeps no extended attributes")
	}
	for _, k := range []struct {
		name   string
		change func() error
		want   bool
	}{
		{"put", put, true},
		{"whole", func() error { return WriteBytes(path, nil) }, true},
		{"through a buffer", func() error {
			return Write(path, func(w *bufio.Writer) error { return w.WriteByte('x') })
		}, true},
		{"JSON", func() error { return WriteJSON(path, "", 1) }, true},
		{"renamed", func() error { return os.Rename(path, path) }, true},
		{"other permissions", func() error { return os.Chmod(path, 0o600) }, true},
		{"appended to", func() error { return os.WriteFile(path, []byte("result!"), 0o644) }, false},
		{"put again", put, true},
		{"other text of that length", func() error { return os.WriteFile(path, []byte("RESULT"), 0o644) }, false},
		{"put a third time", put, true},
		{"touched", func() error { return os.Chtimes(path, time.Now(), time.Now().Add(time.Hour)) }, false},
		{"written over by others", func() error { os.Remove(path); return os.WriteFile(path, []byte("result"), 0o644) }, false},
		{"made by another verb", func() error { SignAs("train"); defer SignAs("detect"); return put() }, false},
		{"being written", func() error {
			f, err := Create(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write([]byte("line\n"))
			return err
		}, true},
		{"written to its end", func() error {
			f, err := Create(path)
			if err != nil {
				return err
			}
			if _, err = f.Write([]byte("line\n")); err == nil {
				f.Mark()
			}
			return f.Close()
		}, true},
		{"changed after its end", func() error { return os.WriteFile(path, []byte("LINE\n"), 0o644) }, false},
		{"marked by its path", func() error { MarkWritten(path); return nil }, true},
		{"absent", func() error { return os.Remove(path) }, false},
		{"a folder", func() error { return os.Mkdir(path, 0o755) }, false},
	} {
		tick(t, path)
		if err := k.change(); err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		if got := Mine(path); got != k.want {
			t.Errorf("%s: mine %v, want %v", k.name, got, k.want)
		}
	}
}

// tick waits until the clock of the file system, which is coarse, gives changes another time than that of path.
func tick(t *testing.T, path string) {
	t.Helper()
	last, err := os.Stat(path)
	if err != nil {
		return // a new file has no time to differ from
	}
	probe := filepath.Join(t.TempDir(), "probe")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if err := os.WriteFile(probe, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if now, err := os.Stat(probe); err != nil || !now.ModTime().Equal(last.ModTime()) {
			return
		}
	}
	t.Fatal("the clock of the file system stands still")
}

// Create empties a file, but not under its other names.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path, kept, link := filepath.Join(dir, "a"), filepath.Join(dir, "kept"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, kept); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", link); err != nil {
		t.Fatal(err)
	}
	f, err := Create(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "new", kept: "old", link: "new"} {
		if b, err := os.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v, want %q", name, b, err, want)
		}
	}
	if _, err := Create(filepath.Join(dir, "absent", "a")); err == nil {
		t.Error("no error without a folder")
	}
}
