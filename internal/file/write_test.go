package file

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	say := func(text string) func(*bufio.Writer) error {
		return func(w *bufio.Writer) error { _, err := w.WriteString(text); return err }
	}
	for _, text := range []string{"one", "two"} {
		if err := Write(path, say(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("read %q, %v, want %q", b, err, text)
		}
	}
	full := errors.New("the disk is full")
	err := Write(path, func(w *bufio.Writer) error { return errors.Join(say("half")(w), full) })
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want %v with the path", err, full)
	}
	if b, _ := os.ReadFile(path); string(b) != "two" {
		t.Errorf("a failed write left %q", b)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left, want 1", len(entries))
	}
	if err := Write(filepath.Join(dir, "absent", "a"), say("")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

// An error of the system is named with the path once.
func TestWriteOnce(t *testing.T) {
	err := WriteBytes("/dev/full", []byte("x"))
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != "writing /dev/full: no space left on device" {
		t.Errorf("%v", err)
	}
	path := filepath.Join(t.TempDir(), "a.txt")
	err = WriteAt(path, func(f *File) error { return &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC} })
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != "writing "+path+": no space left on device; the old file, if any, is as it was" {
		t.Errorf("%v", err)
	}
}
