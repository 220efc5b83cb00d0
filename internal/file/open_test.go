package file

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("a.txt"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link": at("a.txt"), "zero.jpg": "/dev/zero", "folder": dir} {
		if err := os.Symlink(to, at(from)); err != nil {
			t.Fatal(err)
		}
	}
	for name, kind := range map[string]string{"pipe.jpg": "a pipe", "zero.jpg": "a device", "folder": "a folder"} {
		f, _, err := Open(at(name))
		if !errors.Is(err, ErrIrregular) || !strings.Contains(err.Error(), kind) || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: %v; want its name and %q", name, err, kind)
		}
		if f != nil {
			t.Errorf("%s is open", name)
		}
	}
	if b, err := Read(at("link"), 3); err != nil || string(b) != "abc" {
		t.Errorf("a link: %q, %v", b, err)
	}
	if _, _, err := Open(at("absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// A sparse file of 20 GB is refused by its size; nothing of it is read.
func TestReadBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse.png")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path, 0); err != nil || len(b) != 0 {
		t.Errorf("an empty file: %q, %v", b, err)
	}
	if err := os.Truncate(path, 20<<30); err != nil {
		t.Skip("this file system has no sparse files: ", err)
	}
	if _, err := Read(path, 1<<30); err == nil || !strings.Contains(err.Error(), "more than the 1073741824") {
		t.Errorf("20 GB: %v", err)
	}
	if err := os.Truncate(path, 100_001); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path, 100_001); err != nil || !bytes.Equal(b, make([]byte, 100_001)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// A relative path that is not there is named with the folder that it starts from.
func TestOpenRelative(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for path, want := range map[string]string{"absent": "open absent: no such file or directory in " + here, "sub/absent": "open sub/absent: no such file or directory in " + here,
		filepath.Join(here, "absent"): "open " + filepath.Join(here, "absent") + ": no such file or directory"} {
		if _, _, err := Open(path); !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
