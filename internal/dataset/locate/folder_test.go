package locate

import (
	"os"
	"path/filepath"
	"testing"
)

// tree makes a folder "set/images" with files, and returns it.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "set", "images")
	for _, name := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Names as tools on all systems write them lead to the file; what fits none or several leads nowhere.
func TestFind(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.jpg", "cam1/a.jpg", "cam2/0001.jpg", "my photo.jpg", "img [1].png", "50%.png", "x%20y.png", "B.JPG", "b:c.png", "two.png", "TWO.png",
		"caf\u00e9.jpg", "q'uote.jpg", `back\slash.png`, "..dots.png", "*.gif", "日本/写真.png", "plus+sign.png")
	outside := tree(t, "far.jpg")
	for name, want := range map[string]string{
		// as they stand
		"a.jpg": "a.jpg", "cam1/a.jpg": "cam1/a.jpg", "my photo.jpg": "my photo.jpg", "img [1].png": "img [1].png", "50%.png": "50%.png", "b:c.png": "b:c.png",
		"x%20y.png": "x%20y.png", `back\slash.png`: `back\slash.png`, "..dots.png": "..dots.png", "*.gif": "*.gif", "日本/写真.png": "日本/写真.png",
		"q'uote.jpg": "q'uote.jpg", "./a.jpg": "./a.jpg", filepath.Join(outside, "far.jpg"): filepath.Join(outside, "far.jpg"), "plus+sign.png": "plus+sign.png",
		// of Windows
		`cam1\a.jpg`: "cam1/a.jpg", `.\cam1\a.jpg`: "./cam1/a.jpg", `C:\data\set\images\cam2\0001.jpg`: "cam2/0001.jpg", `D:/pictures/a.jpg`: "a.jpg",
		`\\server\share\cam1\a.jpg`: "cam1/a.jpg", `images\cam1\a.jpg`: "cam1/a.jpg",
		// of other machines
		"/home/other/set/images/cam2/0001.jpg": "cam2/0001.jpg", "/0001/a.jpg": "a.jpg", "images/a.jpg": "a.jpg", "set/images/cam1/a.jpg": "cam1/a.jpg",
		"../images/a.jpg": "a.jpg", "../cam1/a.jpg": "cam1/a.jpg", "../../a.jpg": "a.jpg", `..\cam1\a.jpg`: "cam1/a.jpg",
		// addresses
		"my%20photo.jpg": "my photo.jpg", "file:///home/x/my%20photo.jpg": "my photo.jpg", "http://images.cocodataset.org/val2017/a.jpg": "a.jpg",
		"https://host/cam2/0001.jpg?w=9": "cam2/0001.jpg", "img%20%5B1%5D.png": "img [1].png", "file:a.jpg": "a.jpg",
		// quotes, spaces, case and Unicode forms
		`"my photo.jpg"`: "my photo.jpg", " a.jpg\r\n": "a.jpg", "'a.jpg'": "a.jpg", "b.jpg": "B.JPG", "A.JPG": "a.jpg", "CAM1/A.jpg": "cam1/a.jpg",
		"cafe\u0301.jpg": "caf\u00e9.jpg", "two.png": "two.png", `CAM2\0001.JPG`: "cam2/0001.jpg",
		// nothing
		"": "", "b.png": "", "Two.png": "", "cam3/a.jpg": "", "0001.jpg": "", "cam1": "", "img*.png": "", "a.jp?": "", "cam1/../../other/a.jpg": "", "other/a.jpg": "",
		"%zz.png": "", "..": "", "/": "", ".": "",
	} {
		f := New(root)
		got, ok := f.Find(name)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", name, got, ok, want)
		}
		if ok {
			if _, err := os.Stat(f.Path(got)); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	if _, ok := New(filepath.Join(root, "none")).Find("a.jpg"); ok {
		t.Error("found in a folder that is not there")
	}
}

// A folder is read once, however many names are not found.
func TestFindReadsOnce(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.jpg")
	f := New(root)
	f.Find("z.jpg")
	if err := os.WriteFile(filepath.Join(root, "Y.JPG"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, ok := f.Find("y.jpg"); ok {
		t.Errorf("%q: the folder was read again", got)
	}
	if got, ok := f.Find("Y.JPG"); !ok {
		t.Errorf("%q is not found by its own name", got)
	}
}

// Label Studio's names lead to its copies, or to the files that were copied.
func TestFindLabelStudio(t *testing.T) {
	t.Parallel()
	root := tree(t, "ab12cd34-a.jpg", "b.jpg", "sub/c.jpg", "my d.jpg", "12345678-b.jpg.png", "e-1.jpg")
	for name, want := range map[string]string{
		"upload/1/ab12cd34-a.jpg": "ab12cd34-a.jpg", "/data/upload/12/ab12cd34-a.jpg": "ab12cd34-a.jpg", "images/ab12cd34-a.jpg": "ab12cd34-a.jpg", `images\ab12cd34-a.jpg`: "ab12cd34-a.jpg",
		"../../label-studio/data/media/upload/1/ab12cd34-a.jpg": "ab12cd34-a.jpg", "http://localhost:8080/data/upload/1/ab12cd34-a.jpg": "ab12cd34-a.jpg",
		"upload/1/0f12cd34-b.jpg": "b.jpg", "0f12cd34-b.jpg": "b.jpg", "sub/0f12cd34-c.jpg": "sub/c.jpg", "upload/3/0f12cd34-my%20d.jpg": "my d.jpg", "0f12cd34-B.JPG": "b.jpg",
		"/data/local-files/?d=b.jpg": "b.jpg", "/data/local-files/?d=photos/sub/c.jpg": "sub/c.jpg", "/data/local-files/?d=photos%2Fmy%20d.jpg": "my d.jpg",
		"http://localhost:8080/data/local-files/?d=home/x/b.jpg&t=1": "b.jpg",
		// nothing
		"upload/1/0f12cd34-e.jpg": "", "0f12cd3-b.jpg": "", "e-e-1.jpg": "", "0f12cd34-../b.jpg": "", "upload/x/b.jpg": "", "/data/local-files/?d=": "", "/data/local-files/?d=z.jpg": "",
	} {
		if got, ok := New(root).Find(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", name, got, ok, want)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"a.jpg", `C:\a.jpg`, "../a", "file:///%20", "\x00", "//", "%2e%2e/a", "0f12cd34-a.jpg", "/data/local-files/?d=a.jpg"} {
		f.Add(s)
	}
	root := f.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.jpg"), nil, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		in := New(root)
		if got, ok := in.Find(name); ok {
			if st, err := os.Stat(in.Path(got)); err != nil || st.IsDir() {
				t.Errorf("%q: %q is no file: %v", name, got, err)
			}
		}
	})
}
