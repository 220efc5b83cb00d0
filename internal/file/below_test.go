package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Names of files lead nowhere but below the folder, whatever a dataset calls its images and whatever links are there.
func TestBelow(t *testing.T) {
	top := t.TempDir()
	out, other := filepath.Join(top, "out"), filepath.Join(top, "other")
	for _, d := range []string{other, filepath.Join(out, "folder.txt"), filepath.Join(out, "real")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"away": other, "far": "../other", "file.txt": "../other/x", "near": "real", "dangling.txt": filepath.Join(other, "none")} {
		if err := os.Symlink(to, filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(out, "plain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 256)
	for _, name := range []string{"../../x.png", "/etc/x", "..", ".", "", "a/../../x", "a\x00b", long, "a/" + long, "away/x", "far/x", "far/new/x", "file.txt",
		"dangling.txt", "folder.txt", "plain/x"} {
		path, err := Below(out, name)
		if !errors.Is(err, ErrName) || path != "" {
			t.Errorf("%.40q: %q, %v", name, path, err)
		} else if !strings.Contains(err.Error(), out) || len(err.Error()) > 500 {
			t.Errorf("%.40q: %v", name, err)
		}
	}
	for _, name := range []string{"x.png", "a/b/c.txt", "near/x", "a..b/..x", "new", strings.Repeat("x", 255), "plain"} {
		path, err := Below(out, name)
		if err != nil || path != filepath.Join(out, name) {
			t.Errorf("%q: %q, %v", name, path, err)
			continue
		}
		if len(name) < 255 {
			if err := Put(path, []byte("a")); err != nil {
				t.Error(err)
			}
		}
	}
	if err := Put(filepath.Join(out, strings.Repeat("y", 255)), []byte("a")); err != nil {
		t.Errorf("a name as long as can be: %v", err)
	}
	if entries, _ := os.ReadDir(other); len(entries) > 0 {
		t.Errorf("%v is outside", entries)
	}
	// A name that is refused makes no folder outside, and any name fails where nothing can be written.
	if _, err := Below(filepath.Join(out, "plain", "x"), "y"); err == nil || errors.Is(err, ErrName) {
		t.Errorf("a folder below a file: %v", err)
	}
}

func TestStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("abcd"), 0o644); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int64]string{4: "abcd", 5: "abcd"} {
		f, err := Stream(path, most)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); err != nil || string(b) != want {
			t.Errorf("%d: %q, %v", most, b, err)
		}
		f.Close()
	}
	if _, err := Stream(path, 3); err == nil || !strings.Contains(err.Error(), "more than the 3") {
		t.Errorf("too large: %v", err)
	}
	if err := syscall.Mkfifo(path+".pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, irregular := range []string{path + ".pipe", "/dev/zero"} {
		if _, err := Stream(irregular, 10); !errors.Is(err, ErrIrregular) {
			t.Errorf("%s: %v", irregular, err)
		}
		if err := Irregular(irregular); !errors.Is(err, ErrIrregular) {
			t.Errorf("%s: %v", irregular, err)
		}
	}
	// What a shell makes of <(echo ...).
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() { io.WriteString(w, "from a pipe"); w.Close() }()
	given := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if err := Irregular(given); err != nil {
		t.Error(err)
	}
	f, err := Stream(given, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err == nil || string(b) != "from " || !strings.Contains(err.Error(), "more than the 5") {
		t.Errorf("%q, %v", b, err)
	}
}
