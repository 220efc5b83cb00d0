package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"retinanet_resnet50_fpn":               Origin + "retinanet_resnet50_fpn_coco-eeacb38b.pth",
		"retinanet_resnet50_fpn_v2_coco":       Origin + "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth",
		"resnet50":                             Origin + "resnet50-0676ba61.pth",
		"resnet50-11ad3fa6.pth":                Origin + "resnet50-11ad3fa6.pth",
		"something_else-0123abcd":              Origin + "something_else-0123abcd.pth",
		"../../etc/passwd-0123abcd":            "",
		"resnet5":                              "",
		"resnet50-11ad":                        "",
		"":                                     "",
		"a?b-0123abcd":                         "",
		"resnet18-f37072fd-f37072fd/-f37072fd": "",
	} {
		f, err := Find(name, "")
		if (err != nil) != (want == "") || f.URL != want {
			t.Errorf("%q: %q, %v", name, f.URL, err)
		}
	}
	if _, err := Find("resnet18", "ftp://there"); err == nil {
		t.Error("ftp is no mirror")
	}
	for _, p := range Published() {
		f, err := Find(p, "http://there/a")
		if err != nil || f.URL != "http://there/a/"+p+".pth" || !strings.HasPrefix(f.SHA256, p[strings.LastIndexByte(p, '-')+1:]) || len(f.SHA256) != max(8, len(sums[p])) {
			t.Errorf("%s: %+v, %v", p, f, err)
		}
	}
}

// Sums are of published names, whole, and begin as the names end.
func TestSums(t *testing.T) {
	for name, sum := range sums {
		if !slices.Contains(Published(), name) || !hex64.MatchString(sum) || !strings.HasSuffix(name, "-"+sum[:8]) {
			t.Errorf("%s: %s", name, sum)
		}
	}
	f, err := Find("resnet152-f82ba261", "")
	if err != nil || len(f.SHA256) != 8 {
		t.Fatalf("%+v, %v", f, err)
	}
	good := "F82BA261" + strings.Repeat("0", 56)
	if g, err := f.With(good); err != nil || g.SHA256 != strings.ToLower(good) || g.URL != f.URL {
		t.Errorf("%+v, %v", g, err)
	}
	for _, bad := range []string{"", "f82ba261", "e" + good[1:], good + "0", "F82BA261" + strings.Repeat("g", 56)} {
		if _, err := f.With(bad); err == nil {
			t.Errorf("the sum %q is taken", bad)
		}
	}
}

// A file of which only some digits are known is refused unless its first use is accepted.
// Bytes that share the known digits are noticed by the rest of the sum: by the whole one that is given, or by the one that was
// recorded at the first use.
func TestWholeSum(t *testing.T) {
	f, count := server(t, func(_ int64, w http.ResponseWriter, r *http.Request) { whole(w, r) })
	all := sum(weightsFile)
	other, err := f.With(all[:8] + strings.Repeat("0", 56))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Get(context.Background(), other, t.TempDir(), quick()); err == nil || !strings.Contains(err.Error(), "other bytes") || !strings.Contains(err.Error(), all) {
		t.Errorf("a file with the same first digits: %v", err)
	}
	var lines []string
	o := quick()
	o.Checked = func(line string) { lines = append(lines, line) }
	known, err := f.With(all)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Get(context.Background(), known, dir, o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, f.Name+recordSuffix)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a sum that was known was recorded: %v", err)
	}

	dir = t.TempDir()
	careful, asked := o, count.Load()
	careful.FirstUse = false
	if _, err := Get(context.Background(), f, dir, careful); !errors.Is(err, ErrSum) || count.Load() != asked {
		t.Errorf("a file of which 8 digits are known: %v", err)
	}
	path, err := Get(context.Background(), f, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path + recordSuffix); err != nil || string(b) != all+"  "+f.Name+"\n" {
		t.Errorf("recorded %q, %v", b, err)
	}
	asked = count.Load()
	if _, err := Get(context.Background(), f, dir, careful); err != nil || count.Load() != asked {
		t.Errorf("again, with the recorded sum: %v", err)
	}
	for i, want := range []string{"as it should be", "more are not known", "as " + path} {
		if i >= len(lines) || !strings.Contains(lines[i], all) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d of %q lacks the sum or %q", i, lines, want)
		}
	}
	// The file, or what the server has, is another of the same first digits: the record stands for that.
	record := all[:8] + strings.Repeat("1", 56)
	for _, there := range []bool{true, false} {
		if err := os.WriteFile(path+recordSuffix, []byte(record+"  x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if !there {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Get(context.Background(), f, dir, o); err == nil || !strings.Contains(err.Error(), record) {
			t.Errorf("file there %v: %v", there, err)
		}
	}
	for _, text := range []string{"", "f82", strings.Repeat("0", 64) + "  x\n"} {
		if err := os.WriteFile(path+recordSuffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Get(context.Background(), f, dir, o); err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("the record %q: %v", text, err)
		}
	}
}

func ExampleGet() {
	content := []byte("weights")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }))
	defer s.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	f, err := Find("tiny-"+sum(content)[:8], s.URL) // a mirror
	if err != nil {
		fmt.Println(err)
		return
	}
	path, err := Get(context.Background(), f, dir, Options{FirstUse: true, Progress: func(done, _ int64) { fmt.Println(done, "bytes") }})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := os.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	fmt.Println(string(b), err)
	// Output:
	// 7 bytes
	// weights <nil>
}
