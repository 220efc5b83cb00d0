package train

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"retinago/coco"
	"retinago/internal/dataset/convert"
	"retinago/internal/media/picture"
)

// mutant is a dataset in some format, of which a few things were changed.
type mutant struct {
	source convert.Source
	dir    string
	texts  []string // files with annotations and lists
	photos string   // folder of the images
	names  []string // of the images
	done   []string // changes, for messages
}

// change is one way to change a dataset. It reports whether the dataset has what it changes.
type change struct {
	name string
	to   func(t *testing.T, r *rand.Rand, m *mutant) bool
}

// whole writes a dataset of five images, six boxes and two classes.
func whole(t *testing.T, format string) *mutant {
	t.Helper()
	dir := t.TempDir()
	m := &mutant{dir: dir, photos: filepath.Join(dir, "pictures")}
	d := &coco.Dataset{Categories: []coco.Category{{ID: 1, Name: "blue"}, {ID: 2, Name: "red"}}}
	for i := range 5 {
		name := fmt.Sprintf("p%d.jpg", i)
		m.names = append(m.names, name)
		d.Images = append(d.Images, coco.Image{ID: int64(i + 1), FileName: name, Width: 80, Height: 60})
	}
	for i := range 6 {
		d.Annotations = append(d.Annotations, coco.Annotation{ID: int64(i + 1), ImageID: int64(i%4 + 1), CategoryID: int64(i%2 + 1),
			BBox: [4]float64{float64(4 * i), 8, 20, 24}, Area: 480})
	}
	s := &m.source
	var err error
	switch format {
	case "coco":
		s.Path, s.Images = filepath.Join(dir, "d.json"), m.photos
		m.texts, err = []string{s.Path}, d.Save(s.Path)
	case "voc":
		m.photos = filepath.Join(dir, "JPEGImages")
		s.Path, s.Split = dir, "train"
		err = convert.WriteVOC(d, dir, "train")
		m.texts, _ = filepath.Glob(filepath.Join(dir, "Annotations", "*.xml"))
		m.texts = append(m.texts, filepath.Join(dir, "ImageSets", "Main", "train.txt"))
	case "yolo":
		m.photos = filepath.Join(dir, "images", "train")
		s.Path, s.Split = filepath.Join(dir, "data.yaml"), "train"
		_, err = convert.WriteYOLO(d, dir, "train", false)
		m.texts, _ = filepath.Glob(filepath.Join(dir, "labels", "train", "*.txt"))
		m.texts = append(m.texts, s.Path)
	case "csv":
		s.Path, s.Classes, s.Images = filepath.Join(dir, "d.csv"), filepath.Join(dir, "classes.csv"), m.photos
		_, err = convert.WriteCSV(d, s.Path, s.Classes)
		m.texts = []string{s.Path, s.Classes}
	case "openimages":
		s.Path, s.Classes, s.Images, s.Split = filepath.Join(dir, "d.csv"), filepath.Join(dir, "classes.csv"), m.photos, "images.csv"
		err = convert.WriteOpenImages(d, s.Path, s.Classes, filepath.Join(dir, "images.csv"))
		m.texts = []string{s.Path, s.Classes, filepath.Join(dir, "images.csv")}
	}
	if err == nil {
		err = os.MkdirAll(m.photos, 0o755)
	}
	for _, n := range m.names {
		if err == nil {
			err = picture.New(80, 60).WriteJPEG(filepath.Join(m.photos, n), 90)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// replace changes a file of text, and reports whether that makes a difference.
func replace(t *testing.T, path string, f func(text string) string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := f(string(b))
	if err := os.WriteFile(path, []byte(after), 0o644); err != nil {
		t.Fatal(err)
	}
	return after != string(b)
}

// rewrite changes a random file of text.
func rewrite(f func(r *rand.Rand, text string) string) func(*testing.T, *rand.Rand, *mutant) bool {
	return func(t *testing.T, r *rand.Rand, m *mutant) bool {
		path := m.texts[r.IntN(len(m.texts))]
		return replace(t, path, func(text string) string { return f(r, text) })
	}
}

// everywhere changes all files of text.
func everywhere(f func(text string) string) func(*testing.T, *rand.Rand, *mutant) bool {
	return func(t *testing.T, _ *rand.Rand, m *mutant) bool {
		changed := false
		for _, path := range m.texts {
			changed = replace(t, path, f) || changed
		}
		return changed
	}
}

// photo changes a random image.
func photo(f func(r *rand.Rand, path string) error) func(*testing.T, *rand.Rand, *mutant) bool {
	return func(t *testing.T, r *rand.Rand, m *mutant) bool {
		path := filepath.Join(m.photos, m.names[r.IntN(len(m.names))])
		if err := f(r, path); err != nil {
			t.Fatal(err)
		}
		return true
	}
}

// photos changes every image.
func photos(f func(path string) error) func(*testing.T, *rand.Rand, *mutant) bool {
	return func(t *testing.T, _ *rand.Rand, m *mutant) bool {
		for _, n := range m.names {
			if err := f(filepath.Join(m.photos, n)); err != nil {
				t.Fatal(err)
			}
		}
		return true
	}
}

// one replaces one match of a pattern, drawn at random.
func one(pattern string, with ...string) func(r *rand.Rand, text string) string {
	p := regexp.MustCompile(pattern)
	return func(r *rand.Rand, text string) string {
		all := p.FindAllStringIndex(text, -1)
		if len(all) == 0 {
			return text
		}
		at := all[r.IntN(len(all))]
		return text[:at[0]] + p.ReplaceAllString(text[at[0]:at[1]], with[r.IntN(len(with))]) + text[at[1]:]
	}
}

// lines changes the lines of a text.
func lines(f func(r *rand.Rand, all []string) []string) func(r *rand.Rand, text string) string {
	return func(r *rand.Rand, text string) string {
		return strings.Join(f(r, strings.Split(text, "\n")), "\n")
	}
}

// sized replaces an image by one of another size.
func sized(w, h int) func(path string) error {
	return func(path string) error { return picture.New(w, h).WriteJPEG(path, 90) }
}

func drawn(f func(path string) error) func(r *rand.Rand, path string) error {
	return func(_ *rand.Rand, path string) error { return f(path) }
}

// turned gives a JPEG an EXIF orientation by which its sides are swapped. (EXIF 2.3, 4.6.4 A.)
func turned(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	block := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(block)+2))
	return os.WriteFile(path, slices.Concat(head, []byte(block), b[2:]), 0o644)
}

func utf16Text(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// changes are what exporters, people and disks do to datasets.
var changes = []change{
	{"a number", rewrite(one(`-?\d+(\.\d+)?`, "0", "-5", "1", "2", "7", "99999", "1e9", "NaN", "x", "", "3.5", `"4"`, "null", "1e300"))},
	{"a number with a sign", rewrite(one(`\d+`, "-$0"))},
	{"no line", rewrite(lines(func(r *rand.Rand, all []string) []string { i := r.IntN(len(all)); return slices.Delete(all, i, i+1) }))},
	{"a line twice", rewrite(lines(func(r *rand.Rand, all []string) []string { i := r.IntN(len(all)); return slices.Insert(all, i, all[i]) }))},
	{"an empty line", rewrite(lines(func(r *rand.Rand, all []string) []string { return slices.Insert(all, r.IntN(len(all)), "") }))},
	{"a cut text", rewrite(func(r *rand.Rand, text string) string { return text[:r.IntN(len(text)+1)] })},
	{"an empty text", rewrite(func(*rand.Rand, string) string { return "" })},
	{"a byte order mark", everywhere(func(s string) string { return "\xef\xbb\xbf" + s })},
	{"UTF-16", everywhere(utf16Text)},
	{"lines of Windows", everywhere(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })},
	{"a byte that is not UTF-8", rewrite(one(`red|blue`, "r\xe9d"))},
	{"a class renamed", rewrite(one(`red|blue`, "green", "Red", " red", "", " ", "猫"))},
	{"two classes of one name", everywhere(func(s string) string { return strings.ReplaceAll(s, "blue", "red") })},
	{"a class of blanks", everywhere(func(s string) string { return strings.ReplaceAll(s, "blue", " ") })},
	{"an image's name", rewrite(one(`p\d(\.jpg)?`, "p7.jpg", "P1.JPG", "p1", "", "../p1.jpg", "a b.jpg", `C:\\\\pictures\\\\p2.jpg`))},
	{"names with backslashes", everywhere(func(s string) string { return strings.ReplaceAll(s, "p1.jpg", `.\\p1.jpg`) })},
	{"names of another machine", everywhere(func(s string) string { return strings.ReplaceAll(s, "p1.jpg", `/home/other/p1.jpg`) })},
	{"names in large letters", everywhere(func(s string) string { return strings.ReplaceAll(s, "p2.jpg", "P2.JPG") })},
	{"ids from 0", everywhere(func(s string) string { return strings.ReplaceAll(s, `{"id":1,"image_id"`, `{"id":0,"image_id"`) })},
	{"one id for all boxes", everywhere(func(s string) string {
		return regexp.MustCompile(`"id":\d+,"image_id"`).ReplaceAllString(s, `"id":0,"image_id"`)
	})},
	{"ids as texts", everywhere(func(s string) string {
		return regexp.MustCompile(`"(id|image_id)":(\d+)`).ReplaceAllString(s, `"$1":"n$2"`)
	})},
	{"an image's id twice", rewrite(one(`"id":2,"file_name"`, `"id":1,"file_name"`))},
	{"an unknown image", rewrite(one(`"image_id":\d`, `"image_id":9`))},
	{"an unknown category", rewrite(one(`"category_id":\d`, `"category_id":9`))},
	{"no sizes", everywhere(func(s string) string {
		return regexp.MustCompile(`,"width":\d+,"height":\d+|<size>[^§]*?</size>`).ReplaceAllString(s, "")
	})},
	{"sizes of 0", everywhere(func(s string) string {
		return regexp.MustCompile(`"width":\d+|<width>\d+`).ReplaceAllString(s, `"width":0`)
	})},
	{"sides swapped", everywhere(func(s string) string {
		return strings.NewReplacer(`"width":80,"height":60`, `"width":60,"height":80`, "<width>80", "<width>60", "<height>60", "<height>80").Replace(s)
	})},
	{"crowds alone", everywhere(func(s string) string {
		return strings.NewReplacer(`"iscrowd":0`, `"iscrowd":1`, "<difficult>0", "<difficult>1").Replace(s)
	})},
	{"no boxes", everywhere(func(s string) string {
		return regexp.MustCompile(`(?s)"annotations":\[.*\]|<object>.*</object>`).ReplaceAllString(s, `"annotations":[]`)
	})},
	{"no annotations", everywhere(func(s string) string {
		return regexp.MustCompile(`(?s),\s*"annotations":\[.*\]`).ReplaceAllString(s, "")
	})},
	{"shares for pixels", everywhere(func(s string) string {
		return regexp.MustCompile(`"bbox":\[[^]]*\]`).ReplaceAllString(s, `"bbox":[.25,.25,.5,.5]`)
	})},
	{"boxes outside", everywhere(func(s string) string {
		return regexp.MustCompile(`"bbox":\[[^]]*\]`).ReplaceAllString(s, `"bbox":[900,900,5,5]`)
	})},
	{"a box without area", rewrite(one(`"bbox":\[[^]]*\]`, `"bbox":[1,1,0,0]`, `"bbox":[1,1,-3,5]`, `"bbox":[NaN,1,3,5]`, `"bbox":[]`, `"bbox":null`, `"bbox":[1e300,1,1e300,1e300]`))},
	{"no categories", everywhere(func(s string) string {
		return regexp.MustCompile(`(?s)"categories":\[.*?\]`).ReplaceAllString(s, `"categories":[]`)
	})},
	{"a list that is gone", func(t *testing.T, r *rand.Rand, m *mutant) bool {
		return os.Remove(m.texts[r.IntN(len(m.texts))]) == nil
	}},
	{"labels that are gone", func(t *testing.T, _ *rand.Rand, m *mutant) bool {
		return os.RemoveAll(filepath.Join(m.dir, "labels")) == nil
	}},
	{"an image that is gone", photo(drawn(os.Remove))},
	{"a folder of images that is gone", func(t *testing.T, _ *rand.Rand, m *mutant) bool {
		return os.Rename(m.photos, m.photos+"2") == nil
	}},
	{"a cut header", photo(func(r *rand.Rand, path string) error { return os.Truncate(path, int64(r.IntN(100))) })},
	{"a cut image", photo(drawn(func(path string) error { return os.Truncate(path, 600) }))},
	{"cut headers", photos(func(path string) error { return os.Truncate(path, 9) })},
	{"a text for an image", photo(drawn(func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("<html>"), 99), 0o644) }))},
	{"a pipe for an image", photo(drawn(func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return syscall.Mkfifo(path, 0o600)
	}))},
	{"a folder for an image", photo(drawn(func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.Mkdir(path, 0o755)
	}))},
	{"an image of half the size", photo(drawn(sized(40, 30)))},
	{"an image of another ratio", photo(drawn(sized(64, 64)))},
	{"an image with swapped sides", photo(drawn(sized(60, 80)))},
	{"images of double the size", photos(sized(160, 120))},
	{"an image that EXIF turns", photo(drawn(turned))},
	{"images that EXIF turns", photos(turned)},
}

// mutated is a dataset in a format with one or two changes.
func mutated(t *testing.T, format string, r *rand.Rand) *mutant {
	t.Helper()
	m := whole(t, format)
	for n := 1 + r.IntN(2); len(m.done) < n; {
		c := changes[r.IntN(len(changes))]
		if len(m.done) > 0 && !m.intact() {
			break
		}
		if c.to(t, r, m) {
			m.done = append(m.done, c.name)
		}
	}
	return m
}

// intact reports whether a second change finds what it changes.
func (m *mutant) intact() bool {
	for _, path := range m.texts {
		if st, err := os.Stat(path); err != nil || st.Size() == 0 {
			return false
		}
	}
	for _, n := range m.names {
		if st, err := os.Stat(filepath.Join(m.photos, n)); err != nil || !st.Mode().IsRegular() {
			return false
		}
	}
	return true
}
