package register

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"retinago/internal/file"
)

// Sources whose results could meet have names of their own: on every file system, in every order.
func TestNames(t *testing.T) {
	type source struct {
		stem, end string
		frames    bool
	}
	for name, all := range map[string][]source{
		"equal":                    {{"a", ".txt", false}, {"a", ".txt", false}, {"a", ".txt", false}},
		"case":                     {{"clip", ".mp4", false}, {"CLIP", ".mp4", false}, {"Clip", ".mp4", false}},
		"case of a folder":         {{"Cam/a", ".jpg", false}, {"cam/a", ".jpg", false}},
		"case of the extension":    {{"a", ".JPG", false}, {"a", ".jpg", false}},
		"Unicode forms":            {{"caf\u00e9", ".jpg", false}, {"cafe\u0301", ".jpg", false}},
		"hangul forms":             {{"\ud55c", ".jpg", false}, {"\u1112\u1161\u11ab", ".jpg", false}},
		"case and form":            {{"\u00c9t\u00e9", ".jpg", false}, {"e\u0301te\u0301", ".jpg", false}},
		"a number that is there":   {{"a_2", ".txt", false}, {"a", ".txt", false}, {"a", ".txt", false}},
		"two videos":               {{"a", ".txt", true}, {"a", ".txt", true}},
		"two videos, case":         {{"a", ".txt", true}, {"A", ".txt", true}},
		"video and its frame":      {{"a", ".txt", true}, {"a_000001", ".txt", false}},
		"frame and its video":      {{"a_000001", ".txt", false}, {"a", ".txt", true}},
		"video and a later frame":  {{"a", ".txt", true}, {"a_1234567", ".txt", false}},
		"unclean":                  {{"d/a", ".jpg", false}, {"d//a", ".jpg", false}, {"./d/a", ".jpg", false}},
		"finished and unfinished":  {{"a.part", ".mp4", false}, {"a.part", ".mp4", false}},
		"blanks that are no blank": {{"a b", ".jpg", false}, {"A B", ".jpg", false}},
	} {
		f := New(Options{}).Folder("-out", t.TempDir())
		seen := map[string]int{}
		for i, s := range all {
			owner := fmt.Sprint(i)
			var got string
			if s.frames {
				got = f.Frames(s.stem, owner, s.end)
				if again := f.Frames(s.stem, owner, s.end); again != got {
					t.Errorf("%s: frames of one video are %q and %q", name, got, again)
				}
				got += "_000001"
			} else {
				got = f.Name(s.stem, owner, s.end)
			}
			key := fold(filepath.Clean(got + s.end))
			if other, ok := seen[key]; ok {
				t.Errorf("%s: sources %d and %d are both %q", name, other, i, got+s.end)
			}
			seen[key] = i
		}
	}
	// What does not meet keeps its name.
	f := New(Options{}).Folder("-out", t.TempDir())
	for i, stem := range []string{"a", "b", "d/a", "a_000001", "a_000002", "a_1"} {
		if got := f.Name(stem, fmt.Sprint(i), ".txt"); got != stem {
			t.Errorf("%q has the name %q", stem, got)
		}
	}
	if got := f.Name("a", "0", ".txt"); got != "a" {
		t.Errorf("the name of a source changes to %q", got)
	}
}

// Paths below a folder: what is there of others stays, what is too long is shortened.
func TestPath(t *testing.T) {
	file.SignAs("detect")
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	original := put(t, filepath.Join(dir, "photos", "a.jpg"), "photo")
	put(t, filepath.Join(out, "label.txt"), "0 .5 .5 .1 .1")
	put(t, filepath.Join(out, "empty.txt"), "")
	put(t, filepath.Join(out, "folder.jpg", "x"), "")
	result(t, filepath.Join(out, "earlier.jpg"), "jpeg")
	put(t, result(t, filepath.Join(out, "corrected.txt"), "0 .5 .5 .1 .1"), "1 .5 .5 .1 .1")
	link(t, os.Link, original, filepath.Join(out, "hard.jpg"))
	link(t, os.Symlink, filepath.Join(out, "label.txt"), filepath.Join(out, "inside.txt"))
	link(t, os.Symlink, original, filepath.Join(out, "outside.jpg"))
	link(t, os.Symlink, filepath.Join(dir, "photos"), filepath.Join(out, "away"))
	link(t, os.Symlink, "gone.jpg", filepath.Join(out, "nowhere.jpg"))
	deep := strings.Repeat("d", 255) + "/" + strings.Repeat("e", 255) + "/x.jpg"
	for _, k := range []struct {
		name      string
		plain     error // without -overwrite
		overwrite error
	}{
		{"new.jpg", nil, nil},
		{"sub/new.jpg", nil, nil},
		{"earlier.jpg", nil, nil},
		{"label.txt", ErrTaken, nil},
		{"empty.txt", ErrTaken, nil}, // an image without objects
		{"corrected.txt", ErrTaken, nil},
		{"hard.jpg", ErrTaken, ErrTaken},
		{"inside.txt", file.ErrName, file.ErrName}, // an absolute link leads out
		{"outside.jpg", file.ErrName, file.ErrName},
		{"away/a.jpg", file.ErrName, file.ErrName},
		{"nowhere.jpg", ErrTaken, nil},
		{"folder.jpg", file.ErrName, file.ErrName},
		{"../photos/a.jpg", file.ErrName, file.ErrName},
		{"/etc/x.jpg", file.ErrName, file.ErrName},
		{"a\x00b", file.ErrName, file.ErrName},
		{"CON.jpg", nil, nil},
		{"nul", nil, nil},
		{"trailing. ", nil, nil},
		{"-rf.jpg", nil, nil},
		{"new\nline.jpg", nil, nil},
		{"\xff\xfe.jpg", nil, nil},
		{strings.Repeat("x", 251) + ".jpg", nil, nil},
		{strings.Repeat("x", 252) + ".jpg", nil, nil},
		{strings.Repeat("é", 200) + ".jpg", nil, nil},
		{strings.Repeat("x", 5000), nil, nil},
		{deep, nil, nil},
	} {
		for _, overwrite := range []bool{false, true} {
			want := k.plain
			if overwrite {
				want = k.overwrite
			}
			g := New(Options{Overwrite: overwrite})
			g.Input("a source of this run", original)
			f := g.Folder("-out", out)
			path, err := f.Path(k.name, "owner", 0)
			if (err == nil) != (want == nil) || want != nil && !errors.Is(err, want) {
				t.Errorf("%.40q, overwrite %v: %v, want %v", k.name, overwrite, err, want)
			}
			if err != nil {
				continue
			}
			if err := file.Put(path, []byte("result")); err != nil {
				t.Errorf("%.40q: %v", k.name, err)
			}
			for _, part := range strings.Split(path, "/") {
				if len(part) > 255 || utf8.ValidString(k.name) && !utf8.ValidString(part) {
					t.Errorf("%.40q has a part %q of %d bytes", k.name, part, len(part))
				}
			}
			if !overwrite {
				continue
			}
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
		if b, err := os.ReadFile(original); err != nil || string(b) != "photo" {
			t.Fatalf("after %.40q the original is %q, %v", k.name, b, err)
		}
	}
}

// Long names keep their begins and ends, differ where the names differ, and are reported once for a source.
func TestShortened(t *testing.T) {
	var lines []string
	f := New(Options{Notice: func(s string) { lines = append(lines, s) }}).Folder("-out", t.TempDir())
	long := strings.Repeat("x", 300)
	seen := map[string]bool{}
	for _, name := range []string{long + ".jpg", long + "y.jpg", long + ".txt", long + "_000001.txt", long + "_000002.txt", long + ".part.mp4", "a." + long, long + "/a.jpg"} {
		path, err := f.Path(name, "one source", 9)
		if err != nil {
			t.Fatal(err)
		}
		if seen[path] {
			t.Errorf("%q twice", path)
		}
		seen[path] = true
		if base := filepath.Base(path); len(base)+9 > 255 {
			t.Errorf("%q has %d bytes and no room for 9 more", base, len(base))
		}
		for _, end := range []string{".jpg", "_000001.txt", "_000002.txt", ".part.mp4"} {
			if strings.HasSuffix(name, end) && !strings.HasSuffix(path, end) {
				t.Errorf("%q does not end in %s", path, end)
			}
		}
	}
	if len(lines) != 1 || !strings.Contains(lines[0], "shortened: xxx") {
		t.Errorf("lines %q", lines)
	}
	if _, err := f.Path(long+".jpg", "another", 0); err != nil || len(lines) != 2 {
		t.Errorf("%v, %d lines", err, len(lines))
	}
}

// Folders of two options that lie in each other share their paths.
func TestShared(t *testing.T) {
	dir := t.TempDir()
	g := New(Options{})
	out, crops := g.Folder("-out", dir), g.Folder("-crops", filepath.Join(dir, "crops"))
	if _, err := out.Path("crops/cat/a_1.jpg", "a", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := crops.Path("cat/a_1.jpg", "a", 0); !errors.Is(err, ErrTaken) {
		t.Errorf("a crop over a copy: %v", err)
	}
	if _, err := crops.Path("cat/a_2.jpg", "a", 0); err != nil {
		t.Error(err)
	}
	for path, want := range map[string][3]bool{dir: {true, true, false}, filepath.Dir(dir): {false, false, true}, filepath.Join(dir, "x"): {true, false, false}, dir + "x": {false, false, false}} {
		if got := [3]bool{out.Holds(path), out.Is(path), out.Below(path)}; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
