package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// told lists the frames of standard input, each as its path or "error: ...".
func told(t *testing.T, stdin io.Reader) (out []string) {
	t.Helper()
	s, err := Open([]string{"-"}, Options{Stdin: stdin})
	if err != nil {
		t.Fatal(err)
	}
	for f := range s.Frames(context.Background()) {
		if f.Err != nil {
			out = append(out, "error: "+f.Err.Error())
			continue
		}
		out = append(out, f.Path)
	}
	return out
}

// A line of any length loses no other, and an input that breaks is an error.
func TestLongLines(t *testing.T) {
	dir := tree(t, "a.jpg", "b.jpg")
	a, b := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")
	broken := errors.New("the cable is out")
	for _, k := range []struct {
		name  string
		stdin io.Reader
		want  []string // what the frames begin with or hold
	}{
		{"100 KB", strings.NewReader(a + "\n" + strings.Repeat("x", 100_000) + "\n" + b), []string{a, "error: ", b}},
		{"2 MB", strings.NewReader(a + "\n" + strings.Repeat("x", 2<<20) + "\n" + b + "\n"), []string{a, "line 2: it has more than 1048576 bytes", b}},
		{"2 MB at the end", strings.NewReader(a + "\n" + strings.Repeat("x", 2<<20)), []string{a, "line 2: it has more than"}},
		{"slowly", iotest.OneByteReader(strings.NewReader(a + "\r\n\n" + b)), []string{a, b}},
		{"broken", io.MultiReader(strings.NewReader(a+"\n"+b[:3]), iotest.ErrReader(broken)), []string{a, "standard input: line 2: the cable is out"}},
		{"a zero byte", strings.NewReader(a + "\x00\n" + b), []string{"error: ", b}},
		{"nothing", strings.NewReader(""), nil},
	} {
		got := told(t, k.stdin)
		if len(got) != len(k.want) {
			t.Errorf("%s: %.300q", k.name, got)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], k.want[i]) {
				t.Errorf("%s: frame %d: %.300q, want %q", k.name, i, got[i], k.want[i])
			}
		}
	}
}

// What is no regular file is named, not opened, in a folder and by name; a link to an image is one.
func TestIrregular(t *testing.T) {
	dir := tree(t, "a.jpg", "folder.png/x.txt")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link.jpg": "a.jpg", "zero.png": "/dev/zero", "gone.jpg": "nowhere.jpg", "far.jpg": dir} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(dir, "", "."); got != "a.jpg broken broken link.jpg broken broken broken" {
		t.Errorf("a folder: %s", got)
	}
	for _, name := range []string{"pipe.jpg", "pipe.mp4", "zero.png"} {
		if got := names(dir, "", name); got != "broken" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := Pictures([]string{dir}); err == nil || !strings.Contains(err.Error(), "far.jpg: it is not a regular file but a folder") {
		t.Errorf("pictures: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	given := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if s, err := Open([]string{given}, Options{}); err != nil {
		t.Error(err)
	} else {
		for f := range s.Frames(context.Background()) {
			if f.Err != nil || f.Path != given {
				t.Errorf("an open pipe: %+v", f)
			}
		}
	}
}

// 200,000 images of one name take seconds, and their numbers are those of their order.
func TestManyNames(t *testing.T) {
	n := newNames()
	begin := time.Now()
	for i := 1; i <= 200_000; i++ {
		want := "x.jpg"
		if i > 1 {
			want = fmt.Sprintf("x_%d.jpg", i)
		}
		if got := n.unique("x.jpg", JPEG); got != want {
			t.Fatalf("name %d is %s", i, got)
		}
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("%v", took)
	}
	n = newNames()
	for _, want := range []string{"x_2.jpg", "x.jpg", "x_3.jpg", "x_2_2.jpg", "x.jpg.png", "x_4.jpg"} {
		name := map[string]string{"x_2.jpg": "x_2.jpg", "x_2_2.jpg": "x_2.jpg", "x.jpg.png": "x.jpg.png"}[want]
		if name == "" {
			name = "x.jpg"
		}
		if got := n.unique(name, JPEG); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// The name that files of a stream get is a short one of letters.
func TestPlain(t *testing.T) {
	for address, want := range map[string]string{"rtsp://???": "stream", "http://h/" + strings.Repeat("a", 1000): "h_" + strings.Repeat("a", 148), "http://h/../../x\x00\n": "h_.._.._x"} {
		if got := plain(address); got != want {
			t.Errorf("%.40q: %s, want %s", address, got, want)
		}
	}
}
