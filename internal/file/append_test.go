package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAppend(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, k := range []struct{ before, want string }{
		{"", "new\n"},
		{"one\n", "one\nnew\n"},
		{"one\ntwo", "one\nnew\n"},
		{"cut", "new\n"},
		{"one\n" + long, "one\nnew\n"},
		{long + "\n" + long, long + "\nnew\n"},
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(k.before), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Append(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write([]byte("new\n"))
		if err := errors.Join(err, f.Close()); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != k.want {
			t.Errorf("after %.20q: %.40q, %v; want %.40q", k.before, b, err, k.want)
		}
	}
	dir := t.TempDir()
	f, err := Append(filepath.Join(dir, "made"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(pipe); !errors.Is(err, ErrIrregular) {
		t.Errorf("a pipe: %v", err)
	}
}
