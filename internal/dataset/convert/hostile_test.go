package convert

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/coco"
	"retinago/internal/file"
)

// within fails where f takes longer than an honest machine does for what is not quadratic.
func within(t *testing.T, what string, most time.Duration, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if took := time.Since(begin); took > most {
		t.Errorf("%s takes %v", what, took)
	}
}

// Nothing is written outside of the folder, whatever images are called and whatever links lie there; a name that cannot be
// written is found before anything is written.
func TestWriteBelow(t *testing.T) {
	write := map[string]func(d *coco.Dataset, dir string) error{
		"yolo": func(d *coco.Dataset, dir string) error { _, err := WriteYOLO(d, dir, "train", false); return err },
		"voc":  func(d *coco.Dataset, dir string) error { return WriteVOC(d, dir, "train") },
		"csv": func(d *coco.Dataset, dir string) error {
			_, err := WriteCSV(d, filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv"))
			return err
		},
	}
	for format, f := range write {
		for _, name := range []string{"../../x.png", "/tmp/x.png", "a\x00.png", strings.Repeat("x", 300) + ".png", "a\n../b.png", ""} {
			top := t.TempDir()
			dir := filepath.Join(top, "a", "b", "out")
			d := made(t, filepath.Join(top, "images"))
			d.Images[1].FileName = name
			err := f(d, dir)
			if format == "csv" { // names stand in one file
				if err != nil {
					t.Errorf("csv: %q: %v", name, err)
				}
				continue
			}
			harmless := format == "voc" && (name == "../../x.png" || name == "/tmp/x.png") // of which the last part is taken
			if (err == nil) != harmless || err != nil && !strings.Contains(err.Error(), "11") {
				t.Errorf("%s: %.20q: %v, want image 11", format, name, err)
			}
			if !harmless {
				if _, err := os.Stat(dir); err == nil {
					t.Errorf("%s: %.20q: something was written", format, name)
				}
			}
			if entries, _ := os.ReadDir(top); len(entries) > 2 {
				t.Errorf("%s: %.20q: %v", format, name, entries)
			}
		}
		if format == "csv" {
			continue
		}
		top := t.TempDir()
		dir, other := filepath.Join(top, "out"), filepath.Join(top, "other")
		for _, m := range []string{dir, other} {
			if err := os.Mkdir(m, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, link := range []string{"labels", "Annotations"} {
			if err := os.Symlink(other, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		if err := f(made(t, filepath.Join(top, "images")), dir); !errors.Is(err, file.ErrName) {
			t.Errorf("%s over a link: %v", format, err)
		}
		if entries, _ := os.ReadDir(other); len(entries) > 0 {
			t.Errorf("%s writes %v outside", format, entries)
		}
	}
	d := made(t, t.TempDir())
	d.Images[1].FileName, d.Images[2].FileName = "a.jpg", "a.png"
	if _, err := WriteYOLO(d, filepath.Join(t.TempDir(), "out"), "train", false); err == nil || !strings.Contains(err.Error(), "a.png") {
		t.Errorf("two pictures of one label file: %v", err)
	}
}

// Names that a spreadsheet would run are written as texts, and read as they were.
func TestFormulas(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "images")
	d := made(t, images)
	d.Categories[0].Name, d.Categories[1].Name = "=cmd|' /C calc'!A0", "-dog"
	for i, name := range []string{"@p.jpg", "=p.jpg", "+p.jpg"} {
		if err := os.Rename(filepath.Join(images, d.Images[i].FileName), filepath.Join(images, name)); err != nil {
			t.Fatal(err)
		}
		d.Images[i].FileName = name
	}
	boxes, classes, list := filepath.Join(dir, "boxes.csv"), filepath.Join(dir, "classes.csv"), filepath.Join(dir, "list.csv")
	if _, err := WriteCSV(d, boxes, classes); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{boxes, classes} {
		safe(t, path)
	}
	got := open(t, Source{Path: boxes, Classes: classes, Images: images})
	if g, w := strings.Join(flat(got), "\n"), strings.Join(flat(without(d)), "\n"); g != w {
		t.Errorf("csv\n%s\nwant\n%s", g, w)
	}
	o := filepath.Join(dir, "oi.csv")
	if err := WriteOpenImages(d, o, filepath.Join(dir, "oiclasses.csv"), list); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{o, filepath.Join(dir, "oiclasses.csv"), list} {
		safe(t, path)
	}
	got = open(t, Source{Path: o, Classes: filepath.Join(dir, "oiclasses.csv"), Images: images, Split: "list.csv"})
	if g, w := strings.Join(flat(got), "\n"), strings.Join(flat(d), "\n"); g != w {
		t.Errorf("openimages\n%s\nwant\n%s", g, w)
	}
}

// without is a dataset without its crowd regions.
func without(d *coco.Dataset) *coco.Dataset {
	out := *d
	out.Annotations = nil
	for _, a := range d.Annotations {
		if !a.IsCrowd {
			out.Annotations = append(out.Annotations, a)
		}
	}
	return &out
}

// safe reports cells that a spreadsheet would run.
func safe(t *testing.T, path string) {
	t.Helper()
	err := eachRecord(path, func(line int, r []string) {
		for _, cell := range r {
			if cell != "" && strings.ContainsAny(cell[:1], "=+@") {
				t.Errorf("%s:%d: %q", path, line, cell)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// Pipes among the images are named, not opened; what a shell gives open is read.
func TestIrregular(t *testing.T) {
	dir := t.TempDir()
	images := filepath.Join(dir, "images", "train")
	made(t, images)
	if err := syscall.Mkfifo(filepath.Join(images, "pipe.jpg"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(images, "zero.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("p0.jpg", filepath.Join(images, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	header := strings.Join(openImagesHeader, ",") + "\n"
	for _, s := range []Source{
		{Path: put(t, filepath.Join(dir, "data.yaml"), "train: images/train\nnames: [a]\n"), Split: "train"},
		{Path: put(t, filepath.Join(dir, "oi.csv"), header), Format: "openimages", Images: images},
	} {
		d, _, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		left := fmt.Sprint(d.Dropped)
		if len(d.Images) != 4 || !strings.Contains(left, "pipe.jpg: it is not a regular file but a pipe") || !strings.Contains(left, "zero.jpg") || strings.Contains(left, "link.jpg") {
			t.Errorf("%s: %d pictures, %s", s.Path, len(d.Images), left)
		}
	}
	pipe := filepath.Join(dir, "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []Source{{Path: pipe, Format: "csv"}, {Path: pipe, Format: "yolo", Split: "train"}, {Path: pipe, Format: "coco"}, {Path: filepath.Join(dir, "oi.csv"), Format: "csv", Classes: pipe}} {
		if _, _, err := s.Open(); !errors.Is(err, file.ErrIrregular) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() { io.WriteString(w, "p0.jpg,1,2,30,40,cat\n"); w.Close() }()
	if d := open(t, Source{Path: fmt.Sprintf("/dev/fd/%d", r.Fd()), Format: "csv", Images: images}); len(d.Annotations) != 1 {
		t.Errorf("%d objects from a pipe", len(d.Annotations))
	}
}

// Lists of 200,000 take seconds.
func TestManyNames(t *testing.T) {
	const n = 200_000
	dir := t.TempDir()
	images := filepath.Join(dir, "images", "train")
	made(t, images)
	var list, numbers, classes strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "- c%d\n", i)
		fmt.Fprintf(&numbers, "  %d: c%d\n", i, i)
		fmt.Fprintf(&classes, "c%d,%d\n", i, i)
	}
	within(t, "numbers", time.Minute, func() {
		d := open(t, Source{Path: put(t, filepath.Join(dir, "data.yaml"), "train: images/train\nnames:\n"+numbers.String()), Split: "train"})
		if len(d.Categories) != n || d.Categories[n-1].Name != "c199999" {
			t.Errorf("%d categories", len(d.Categories))
		}
	})
	within(t, "a list with a double", time.Minute, func() {
		_, _, err := Source{Path: put(t, filepath.Join(dir, "data.yaml"), "train: images/train\nnames:\n"+list.String()+"- c7\n"), Split: "train"}.Open()
		if err == nil || !strings.Contains(err.Error(), `classes 7 and 200000 are both called "c7"`) {
			t.Errorf("%v", err)
		}
	})
	var d *coco.Dataset
	within(t, "a list of classes", time.Minute, func() {
		d = open(t, Source{Path: put(t, filepath.Join(dir, "boxes.csv"), "p0.jpg,1,2,30,40,c3\n"), Images: images, Classes: put(t, filepath.Join(dir, "classes.csv"), classes.String())})
	})
	within(t, "a subset", time.Minute, func() {
		var names []string
		for _, c := range d.Categories {
			names = append(names, c.Name)
		}
		if s, err := Subset(d, names, 0, true); err != nil || len(s.Categories) != n {
			t.Error(err)
		}
	})
	within(t, "keys of data.yaml", time.Minute, func() {
		_, _, err := Source{Path: put(t, filepath.Join(dir, "data.yaml"), strings.ReplaceAll(numbers.String(), "  ", "k")), Split: "train"}.Open()
		if err == nil || !strings.Contains(err.Error(), "200000 keys") {
			t.Errorf("%v", err)
		}
	})
	names := folders{dir + "/": nil}
	for i := range n {
		names[dir+"/"] = append(names[dir+"/"], fmt.Sprintf("p%06d.jpg", i))
	}
	within(t, "images by their begin", time.Minute, func() {
		for i := range n {
			if got := names.first(fmt.Sprintf("%s/p%06d.", dir, i)); got != fmt.Sprintf("p%06d.jpg", i) {
				t.Fatal(got)
			}
		}
	})
}

// Text that would grow in memory does not.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	bomb := `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation><filename>&c;</filename></annotation>`
	voc := filepath.Join(dir, "voc")
	put(t, filepath.Join(voc, "Annotations", "a.xml"), bomb)
	if _, _, err := (Source{Path: voc}).Open(); err == nil || !strings.Contains(err.Error(), "a.xml") {
		t.Errorf("entities: %v", err)
	}
	put(t, filepath.Join(voc, "Annotations", "a.xml"), "<annotation>")
	if err := os.Truncate(filepath.Join(voc, "Annotations", "a.xml"), 20<<30); err == nil {
		if _, _, err := (Source{Path: voc}).Open(); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("20 GB of XML: %v", err)
		}
	}
	quote := put(t, filepath.Join(dir, "quote.csv"), "p0.jpg,1,2,3,4,\"cat\n"+strings.Repeat("x", 3<<20))
	if _, _, err := (Source{Path: quote}).Open(); err == nil || !strings.Contains(err.Error(), "a quote not closed") {
		t.Errorf("a quote: %.200v", err)
	}
	alias := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 8 {
		alias += fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 9), ","))
	}
	yaml := put(t, filepath.Join(dir, "data.yaml"), "train: images\n"+alias+"names: *i\n")
	within(t, "aliases", 5*time.Second, func() {
		if _, _, err := (Source{Path: yaml, Split: "train"}).Open(); err == nil {
			t.Error("aliases of aliases: no error")
		}
	})
}
