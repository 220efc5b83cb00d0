package output

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	"retinago/internal/media/source"
)

// to is a folder for the results of one run.
func to(dir string) *register.Folder { return register.New(register.Options{}).Folder("-out", dir) }

// sum is what the shortened form of a name has in the place of its rest.
func sum(name string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:8] }

// Files stay below their folder, and one that cannot be written takes no other with it.
func TestBelow(t *testing.T) {
	top := t.TempDir()
	out, other := filepath.Join(top, "out"), filepath.Join(top, "other")
	for _, d := range []string{out, other} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"away", "cat"} {
		if err := os.Symlink(other, filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []string{"l.txt"} {
		if err := os.Symlink(filepath.Join(other, "stolen"), filepath.Join(out, link)); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", 300)
	named := func(name string) infer.Result {
		return infer.Result{Frame: source.Frame{Path: name, Name: name}, Size: data.Size{W: 40, H: 20}, Found: []infer.Detection{detection("dog", 1, 10, 5, 20, 10, .75)}}
	}
	y, crops := NewYOLO(to(out)), NewCrops(to(out), nil)
	for _, name := range []string{"../../x.jpg", "/etc/x.jpg", "away/x.jpg", "l.jpg", "a\x00.jpg"} {
		if err := y.Write(named(name)); !errors.Is(err, file.ErrName) {
			t.Errorf("labels of %.20q: %v", name, err)
		}
		if err := crops.Write(named(name), picture.New(40, 20)); name != "l.jpg" && name != "/etc/x.jpg" && name != "away/x.jpg" && !errors.Is(err, file.ErrName) {
			t.Errorf("crops of %.20q: %v", name, err)
		}
	}
	for _, name := range []string{"sub/fine.jpg", long + ".jpg"} { // the second is shortened
		if err := y.Write(named(name)); err != nil {
			t.Error(err)
		}
	}
	if err := y.Close(); err != nil {
		t.Error(err)
	}
	// Of an image's crops, those that can be written are.
	r := named("p.jpg")
	for _, class := range []string{"cat", "../..", "..", long, "cat", "a/b\x00c", "fine"} {
		r.Found = append(r.Found, detection(class, 2, 1, 1, 9, 9, .5))
	}
	if err := NewCrops(to(out), nil).Write(r, picture.New(40, 20)); !errors.Is(err, file.ErrName) {
		t.Errorf("crops: %v", err)
	}
	for _, name := range []string{"dog/p_1.jpg", ".._../p_3.jpg", "_../p_4.jpg", long[:246] + "-" + sum(long) + "/p_5.jpg", "a_b_c/p_7.jpg", "fine/p_8.jpg", "sub/fine.txt", long[:242] + "-" + sum(long+".txt") + ".txt"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(other); len(entries) > 0 {
		t.Errorf("%v is outside", entries)
	}
	if entries, _ := os.ReadDir(top); len(entries) != 2 {
		t.Errorf("%v is outside", entries)
	}
}

// Cells that a spreadsheet would run are texts, and numbers stay numbers.
func TestFormulas(t *testing.T) {
	var out bytes.Buffer
	c, err := NewCSV("-", &out)
	if err != nil {
		t.Fatal(err)
	}
	d := detection("=cmd|' /C calc'!A0", 2, -1.5, -2, 9, 9, .5)
	if err := c.Write(infer.Result{Frame: source.Frame{Path: "@a.jpg"}, Found: []infer.Detection{d}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if row := strings.Split(out.String(), "\n")[1]; row != "'@a.jpg,,,'=cmd|' /C calc'!A0,2,0.5,-1.5,-2,7.5,7," {
		t.Errorf("row %s", row)
	}
}
