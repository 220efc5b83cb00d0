package source

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/internal/media/picture"
)

// jpegBytes is a small image.
func jpegBytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := picture.New(20, 10).EncodeJPEG(&b, 90); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// One place decides what of a folder is read, what is named, and what is of no interest.
func TestEndings(t *testing.T) {
	jpg := jpegBytes(t)
	const heic, raw, text = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "II*\x00\x08\x00\x00\x00", "some text"
	for _, k := range []struct {
		name, content string
		want          string // read, named or nothing
	}{
		{"a.jpg", "", "read"}, {"a.JPG", "", "read"}, {"a.jpeg", "", "read"}, {"a.jpe", "", "read"}, {"a.jfif", "", "read"}, {"a.JFIF", "", "read"},
		{"a.jif", "", "read"}, {"a.jfi", "", "read"}, {"a.pjpeg", "", "read"}, {"a.pjp", "", "read"}, {"a.mpo", "", "read"}, {"a.apng", "", "read"},
		{"a.dib", "", "read"}, {"a.gif", "", "read"}, {"a.tif", "", "read"}, {"a.webp", "", "read"}, {"a.jpg?itok=x1", "", "read"},
		{"a.heic", heic, "named"}, {"a.HEIC", heic, "named"}, {"a.heif", heic, "named"}, {"a.avif", text, "named"}, {"a.jp2", text, "named"},
		{"a.jxl", text, "named"}, {"a.psd", text, "named"}, {"a.ppm", text, "named"}, {"a.tga", text, "named"}, {"a.exr", text, "named"},
		{"a.cr2", raw, "named"}, {"a.nef", raw, "named"}, {"a.dng", raw, "named"}, {"a.cr3", text, "named"}, {"a.dcm", text, "named"},
		{"a.empty.heic", "", "named"},
		{"renamed.heic", string(jpg), "read"}, {"renamed.avif", string(jpg), "read"},
		{"without", string(jpg), "read"}, {"frame.0001", string(jpg), "read"}, {"IMG 2024.01.02", string(jpg), "read"}, {"phone", heic, "named"},
		{"README", text, "nothing"}, {"LICENSE", "", "nothing"}, {"archive", "PK\x03\x04", "nothing"}, {"libc.so.6", text, "nothing"},
		{"._a.jpg", "\x00\x05\x16\x07", "nothing"}, {".DS_Store", text, "nothing"}, {"Thumbs.db", text, "nothing"}, {"a.txt", string(jpg), "nothing"}, {"a.json", "{}", "nothing"},
		{"a.xml", "<a/>", "nothing"}, {"a.jpg.bak", string(jpg), "nothing"}, {"a.svg", "<svg/>", "nothing"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, k.name), []byte(k.content), 0o644); err != nil {
			t.Fatal(err)
		}
		got := "nothing"
		walk(dir, wanted, func(path string, err error) bool {
			got = "read"
			if err != nil {
				got = "named"
				for _, w := range []string{path, "convert"} {
					if !strings.Contains(err.Error(), w) || !errors.Is(err, errUnread) {
						t.Errorf("%s: %v; want %q", k.name, err, w)
					}
				}
			}
			return true
		})
		if got != k.want {
			t.Errorf("%s with %.12q: %s, want %s", k.name, k.content, got, k.want)
		}
	}
	for e := range map[string]bool{".mts": true, ".vob": true, ".3g2": true, ".qt": true, ".MKV": true, ".m2v": true} {
		if kindOf("a"+e) != isVideo {
			t.Errorf("%s is no video", e)
		}
	}
	// No ending is in two lists.
	seen := map[string]bool{}
	all := append(append([]string{}, pictures...), videos...)
	for _, e := range foreign {
		all = append(all, e...)
	}
	for _, e := range all {
		if seen[e] || e != strings.ToLower(e) || e[0] != '.' {
			t.Errorf("%s is there twice, or is no ending", e)
		}
		seen[e] = true
	}
}

// A folder of what cannot be read opens, and says so of each; images for calibration are those that can be read.
func TestFolderOfUnread(t *testing.T) {
	dir := tree(t, "a.heic", "sub/b.HEIC", "c.avif")
	if got := names(dir, "", "."); got != "broken broken broken" {
		t.Errorf("%s", got)
	}
	if _, err := Pictures([]string{dir}); err == nil || !strings.Contains(err.Error(), "no images") {
		t.Errorf("%v", err)
	}
	dir = tree(t, "a.heic", "b.jfif", "c.mp4")
	if got, err := Pictures([]string{dir}); err != nil || len(got) != 1 || filepath.Base(got[0]) != "b.jfif" {
		t.Errorf("%v, %v", got, err)
	}
}

// Links to folders are followed, and every folder is read once.
func TestLinkedFolders(t *testing.T) {
	for _, k := range []struct {
		name  string
		files string
		links string // from=to, relative to the folder of the link
		from  string
		want  string
	}{
		{"another folder", "in/a.jpg far/b.jpg far/sub/c.jpg", "in/link=../far", "in", "a.jpg link/b.jpg link/sub/c.jpg"},
		{"twice", "in/a.jpg far/b.jpg", "in/one=../far in/two=../far", "in", "a.jpg one/b.jpg"},
		{"itself", "in/a.jpg", "in/me=.", "in", "a.jpg"},
		{"up", "in/a.jpg z.jpg", "in/up=..", "in", "a.jpg up/z.jpg"},
		{"a folder below", "in/b/a.jpg", "in/a=b", "in", "b/a.jpg"},
		{"each other", "in/a.jpg x/b.jpg y/c.jpg", "in/x=../x x/y=../y y/x=../x y/in=../in", "in", "a.jpg x/b.jpg x/y/c.jpg"},
		{"below one that is followed", "in/a.jpg far/b.jpg far/sub/c.jpg", "in/far=../far in/sub=../far/sub", "in", "a.jpg far/b.jpg far/sub/c.jpg"},
		{"above one that is followed", "in/a.jpg far/b.jpg far/sub/c.jpg", "in/a_sub=../far/sub in/far=../far", "in", "a.jpg a_sub/c.jpg far/b.jpg"},
		{"a chain", "in/a.jpg far/b.jpg", "one=far in/two=../one", "in", "a.jpg two/b.jpg"},
		{"the folder itself is a link", "far/b.jpg", "in=far", "in", "b.jpg"},
		{"a link to an image", "in/a.jpg far/b.jpg", "in/b.jpg=../far/b.jpg in/name=../far/b.jpg", "in", "a.jpg b.jpg"},
		{"gone", "in/a.jpg", "in/gone=../nowhere in/.lock=nothing in/gone.jpg=nowhere", "in", "a.jpg broken broken"},
		{"a device without an ending", "in/a.jpg", "in/zero=/dev/zero in/zero.png=/dev/zero", "in", "a.jpg broken"},
		{"round", "in/a.jpg", "in/x=y in/y=x", "in", "a.jpg broken broken"},
		{"a name with the same begin", "in/a.jpg in2/b.jpg", "in/link=../in2", "in", "a.jpg link/b.jpg"},
	} {
		dir := tree(t, strings.Fields(k.files)...)
		for _, l := range strings.Fields(k.links) {
			from, to, _ := strings.Cut(l, "=")
			if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
				t.Fatal(err)
			}
		}
		if got := names(dir, "", k.from); got != k.want {
			t.Errorf("%s: %s, want %s", k.name, got, k.want)
		}
	}
}

// Characters of patterns, addresses and lists in names that are there stand for themselves.
func TestLiteralNames(t *testing.T) {
	odd := []string{"a[1].jpg", "b*.jpg", "c?.jpg", "d%03d.jpg", "e%20f.jpg", "g,h.jpg", "i:j.jpg", "k 12:30:05.jpg", "{l}.jpg", "'m'.jpg", "#n.jpg", "-o.jpg", "~p.jpg", `q\r.jpg`, "file:s.jpg", "ü.jpg", "cam1:0.jpg", "x&y.jpg"}
	dir := tree(t, append(append([]string{}, odd...), "a1.jpg", "shots[2]/u.jpg", "shots[2]/v.png", "shots2/w.jpg")...)
	for _, name := range odd {
		if got := names(dir, "", name); got != name {
			t.Errorf("%s: %s", name, got)
		}
		if got := names(dir, filepath.Join(dir, name)+"\n", "-"); got != name {
			t.Errorf("%s on standard input: %s", name, got)
		}
	}
	for name, want := range map[string]string{
		"shots[2]": "u.jpg v.png.jpg", "shots[2]/*.jpg": "u.jpg", "shots[2]/*": "u.jpg v.png.jpg", "shots*/w.jpg": "w.jpg", "a?.jpg": "a1.jpg",
	} {
		if got := names(dir, "", name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	// A name on standard input is no pattern.
	if got := names(dir, filepath.Join(dir, "a?.jpg")+"\n", "-"); got != "broken" {
		t.Errorf("a pattern on standard input: %s", got)
	}
	// The address of a file is its name.
	for _, address := range []string{"file://" + dir + "/e%2520f.jpg", "file://localhost" + dir + "/e%2520f.jpg", "FILE://" + dir + "/e%2520f.jpg"} {
		s, err := Open([]string{address}, Options{})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		for f := range s.Frames(context.Background()) {
			if f.Name != "e%20f.jpg" || f.Err != nil {
				t.Errorf("%s: %+v", address, f)
			}
		}
	}
	if _, err := Open([]string{filepath.Join(dir, "absent.jpg")}, Options{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}
