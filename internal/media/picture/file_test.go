package picture

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/internal/file"
)

// What is no regular file is an error at once, and a file is read only as far as its header and its size allow.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", at("zero.png")); err != nil {
		t.Fatal(err)
	}
	sparse := func(name string, head []byte) {
		if err := os.WriteFile(at(name), head, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(at(name), 20<<30); err != nil {
			t.Skip("this file system has no sparse files: ", err)
		}
	}
	sparse("nothing.jpg", nil)
	sparse("large.png", grey(64, 48, 8))
	sparse("large.jpg", progressive(9000, 9000, 3, 2))
	want := map[string]string{"pipe.jpg": "a pipe", "zero.png": "a device", "nothing.jpg": "unsupported format", "large.png": MemoryVariable, "large.jpg": MemoryVariable}
	for name, w := range want {
		begin := time.Now()
		took := peak(t, func() {
			_, err := Decode(at(name))
			if err == nil || !strings.Contains(err.Error(), at(name)) || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q", name, err, w)
			}
		})
		if spent := time.Since(begin); spent > 2*time.Second || took > 32<<20 {
			t.Errorf("%s: %v, %d MB", name, spent, took>>20)
		}
	}
	if _, _, err := Size(at("pipe.jpg")); !errors.Is(err, file.ErrIrregular) {
		t.Errorf("the size of a pipe: %v", err)
	}
	if w, h, err := Size(at("large.png")); err != nil || w != 64 || h != 48 {
		t.Errorf("%dx%d, %v", w, h, err)
	}
}
