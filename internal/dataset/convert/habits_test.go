package convert

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"retinago/internal/media/picture"
)

// blank writes an image of 100x50 pixels.
func blank(t *testing.T, path ...string) {
	t.Helper()
	p := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := picture.New(100, 50).WritePNG(p); err != nil {
		t.Fatal(err)
	}
}

// Lines of YOLO's labels, with the box that they mean.
func TestYOLOLines(t *testing.T) {
	for _, k := range []struct {
		line  string
		poses bool
		want  string // "" for a line that is left out
	}{
		{"0 .5 .5 .2 .4", false, "a [40 15 20 20]"},
		{"1.0 0.5 0.5 0.2 0.4", false, "b [40 15 20 20]"},
		{"  0\t.5 .5  .2 .4  ", false, "a [40 15 20 20]"},
		{"0 .1 .2 .3 .2 .3 .6", false, "a [10 10 20 20]"},             // a triangle
		{"0 .1 .2 .3 .2 .3 .6 .1 .6", false, "a [10 10 20 20]"},       // a box's corners
		{"1 .2 .1 .3 .2 .2 .3 .1 .2", false, "b [10 5 20 10]"},        // a turned box
		{"0 .1 .2 .3 .2 .3 .6 .1 .6 .1 .2", false, "a [10 10 20 20]"}, // closed
		{"0 .5 .5 .2 .4 .1 .1 .9 .9", true, "a [40 15 20 20]"},        // key points of two values
		{"0 .5 .5 .2 .4 .1 .1 2 .9 .9 0", true, "a [40 15 20 20]"},    // of three
		{"0 .5 .5 .2 .4", true, "a [40 15 20 20]"},
		{"0 .5 .5 .2 .4 .9", false, ""}, // a detection with its score is no label
		{"0 .5 .5 .2", false, ""},
		{"0", false, ""},
		{"2 .5 .5 .2 .4", false, ""},
		{"-1 .5 .5 .2 .4", false, ""},
		{"0.5 .5 .5 .2 .4", false, ""},
		{"a .5 .5 .2 .4", false, ""},
		{"0 50 25 20 20", false, ""}, // pixels
		{"0 .1 .2 .3 .2 .3 nan", false, ""},
		{"0,.5,.5,.2,.4", false, ""},
	} {
		dir := t.TempDir()
		blank(t, dir, "images", "train", "p.png")
		text := "train: images/train\nnames: [a, b]\n"
		if k.poses {
			text += "kpt_shape: [2, 3]\n"
		}
		put(t, filepath.Join(dir, "labels", "train", "p.txt"), "0 .5 .5 1 1\n"+k.line+"\n")
		d := open(t, Source{Path: put(t, filepath.Join(dir, "data.yaml"), text), Split: "train"})
		got := ""
		if len(d.Annotations) == 2 {
			a := d.Annotations[1]
			got = fmt.Sprint(d.Categories[a.CategoryID-1].Name, " ", a.BBox)
		}
		if got != k.want || (k.want == "") != (len(d.Dropped) == 1) || len(d.Annotations) > 2 {
			t.Errorf("%q: %q, want %q; left out: %v", k.line, got, k.want, d.Dropped)
		}
		if k.want == "" && len(d.Dropped) == 1 && !strings.Contains(d.Dropped[0].Seen, "p.txt:2: ") {
			t.Errorf("%q: %v does not name the line", k.line, d.Dropped)
		}
	}
}

// Folders and lists of data.yaml as programs export them.
func TestYOLOLayouts(t *testing.T) {
	for _, k := range []struct {
		yaml, at string // the text and the path of data.yaml
		files    []string
		want     []string
	}{
		{"train: images/train", "data.yaml", []string{"images/train/a.png"}, []string{"a.png"}},
		{"train: ../train/images", "data.yaml", []string{"train/images/a.png"}, []string{"a.png"}},                           // Roboflow
		{"train: ../train/images", "set/data.yaml", []string{"train/images/a.png"}, []string{"a.png"}},                       // as it stands
		{"train: ./train/images", "data.yaml", []string{"train/images/a.png"}, []string{"a.png"}},                            // with a dot
		{`train: train\images`, "data.yaml", []string{"train/images/a.png"}, []string{"a.png"}},                              // Windows
		{"path: ../datasets/x\ntrain: images", "data.yaml", []string{"images/a.png"}, []string{"a.png"}},                     // a path that is elsewhere
		{"path: /content/x\ntrain: images", "data.yaml", []string{"images/a.png"}, []string{"a.png"}},                        // of another machine
		{"path: /datasets/coco8\ntrain: images/train", "data.yaml", []string{"coco8/images/train/a.png"}, []string{"a.png"}}, // beside its folder
		{"train: [images/a, images/b]", "data.yaml", []string{"images/a/1.png", "images/b/1.png"}, []string{"a/1.png", "b/1.png"}},
		{"train:\n- one/images\n- two/images", "data.yaml", []string{"one/images/1.png", "two/images/2.png"}, []string{"one/images/1.png", "two/images/2.png"}},
		{"train: [images]", "data.yaml", []string{"images/1.png"}, []string{"1.png"}},
		{"train: train.txt", "data.yaml", []string{"images/1.png", "images/2.png", "train.txt=./images/1.png\n\n images/2.png \n"}, []string{"1.png", "2.png"}},
		{"train: train.txt", "data.yaml", []string{"images/1.png", "train.txt=/home/other/set/images/1.png\n"}, []string{"1.png"}},
		{"train: train.txt", "data.yaml", []string{"images/1.png", `train.txt=C:\set\images\1.png`}, []string{"1.png"}},
		{"train: images", "data.yaml", []string{"images/1.png", "images/._1.png=x", "images/.hidden/2.png=x", "images/Thumbs.db=x"}, []string{"1.png"}},
		{"train: images", "data.yaml", []string{"images/[1] x.png", "images/a b/c.png"}, []string{"[1] x.png", "a b/c.png"}},
	} {
		dir := t.TempDir()
		for _, f := range k.files {
			if name, text, is := strings.Cut(f, "="); is {
				put(t, filepath.Join(dir, name), text)
			} else {
				blank(t, dir, f)
				label := strings.TrimSuffix(strings.Replace("/"+f, "/images/", "/labels/", 1), ".png") + ".txt"
				put(t, filepath.Join(dir, label), "0 .5 .5 1 1\n")
			}
		}
		d, images, err := Source{Path: put(t, filepath.Join(dir, k.at), k.yaml+"\nnames: [a]\n"), Split: "train"}.Open()
		if err != nil {
			t.Errorf("%q: %v", k.yaml, err)
			continue
		}
		var got []string
		for _, im := range d.Images {
			got = append(got, im.FileName)
			if _, err := os.Stat(filepath.Join(images, im.FileName)); err != nil {
				t.Errorf("%q: %v", k.yaml, err)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, k.want) || len(d.Annotations) != len(k.want) || len(d.Dropped) > 0 {
			t.Errorf("%q: %v with %d boxes, want %v; left out: %v", k.yaml, got, len(d.Annotations), k.want, d.Dropped)
		}
	}
}

// A folder that is not there is named with the key that names it.
func TestYOLOAbsent(t *testing.T) {
	for _, text := range []string{"train: images", "path: /content/x\ntrain: images", "train: [images]", `train: "..\\images"`} {
		path := put(t, filepath.Join(t.TempDir(), "data.yaml"), text+"\nnames: [a]\n")
		_, _, err := Source{Path: path, Split: "train"}.Open()
		if err == nil || strings.Contains(err.Error(), "stat ") || !strings.Contains(err.Error(), path+`: split "train": there is no folder or list`) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A list of VOC that is not there is named with the split.
func TestVOCAbsent(t *testing.T) {
	dir := tree(t, "Annotations/a.xml", "JPEGImages/a.jpg", "ImageSets/Main/default.txt")
	for _, split := range []string{"train", "val"} {
		_, _, err := Source{Path: dir, Split: split}.Open()
		want := filepath.Join(dir, "ImageSets", "Main", split+".txt") + ": leave the split out"
		if err == nil || strings.Contains(err.Error(), "open ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", split, err)
		}
	}
}

// Labels may stand beside the images.
func TestYOLOLabelsBeside(t *testing.T) {
	dir := t.TempDir()
	blank(t, dir, "obj_train_data", "a.png")
	put(t, filepath.Join(dir, "obj_train_data", "a.txt"), "0 .5 .5 1 1\n")
	d := open(t, Source{Path: put(t, filepath.Join(dir, "data.yaml"), "train: obj_train_data\nnames: [a]\n"), Split: "train"})
	if len(d.Annotations) != 1 {
		t.Errorf("%d boxes", len(d.Annotations))
	}
}

const vocBody = `<object><name>cat</name><bndbox><xmin>11</xmin><ymin>13</ymin><xmax>40</xmax><ymax>32</ymax></bndbox></object></annotation>`

// XML files as programs write them: each has a cat at 10, 12, 30, 20 on an image of 100x50.
func TestVOCFiles(t *testing.T) {
	wide := func(s string, order binary.AppendByteOrder) string {
		b := order.AppendUint16(nil, 0xfeff)
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	size := "<size><width>100</width><height>50</height><depth>3</depth></size>"
	for name, text := range map[string]string{
		"plain":                    "<annotation><filename>a.png</filename>" + size + vocBody,
		"no size":                  "<annotation>" + vocBody,
		"size in decimals":         "<annotation><size><width>100.0</width><height>50.0</height><depth>3.0</depth></size>" + vocBody,
		"size in words":            "<annotation><size><width>None</width><height></height></size>" + vocBody,
		"truncated Unspecified":    "<annotation>" + size + "<object><truncated>Unspecified</truncated>" + vocBody[len("<object>"):],
		"truncated share":          "<annotation>" + size + "<object><truncated>0.0597</truncated>" + vocBody[len("<object>"):],
		"difficult Unspecified":    "<annotation>" + size + "<object><difficult>Unspecified</difficult>" + vocBody[len("<object>"):],
		"difficult False":          "<annotation>" + size + "<object><difficult>False</difficult>" + vocBody[len("<object>"):],
		"parts":                    "<annotation>" + size + "<object><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>" + vocBody[len("<object>"):],
		"names with spaces":        "<annotation>" + size + strings.Replace(vocBody, "cat", "\n\tcat ", 1),
		"decimals of boxes":        "<annotation>" + size + strings.NewReplacer("11", "11.0", "32", " 32.000").Replace(vocBody),
		"a comma for the point":    "<annotation>" + size + strings.NewReplacer("11", "11,0", "32", "32,00").Replace(vocBody),
		"unknown elements":         "<annotation verified=\"yes\"><owner><name>x</name></owner><segmented>x</segmented>" + size + vocBody,
		"a polygon":                "<annotation>" + size + "<object><name>cat</name><polygon><x1>11</x1><y1>13</y1><x2>40</x2><y2>13</y2><x3>40</x3><y3>32</y3></polygon></object></annotation>",
		"byte order mark":          "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?><annotation>" + size + vocBody,
		"Latin 1":                  "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><annotation><folder>Stra\xdfe</folder>" + size + vocBody,
		"Windows 1252":             "<?xml version=\"1.0\" encoding=\"windows-1252\"?><annotation><folder>\x80</folder>" + size + vocBody,
		"GB 2312":                  "<?xml version=\"1.0\" encoding=\"gb2312\"?><annotation><folder>\xc4\xe3</folder>" + size + vocBody,
		"UTF-16, little":           wide("<?xml version=\"1.0\" encoding=\"utf-16\"?><annotation>"+size+vocBody, binary.LittleEndian),
		"UTF-16, big":              wide("<?xml version=\"1.0\" encoding=\"UTF-16\"?><annotation>"+size+vocBody, binary.BigEndian),
		"the name of another":      "<annotation><filename>b.png</filename>" + size + vocBody,
		"a path of Windows":        `<annotation><filename>C:\pictures\a.png</filename><path>C:\pictures\a.png</path>` + size + vocBody,
		"a name without an ending": "<annotation><filename>a</filename>" + size + vocBody,
	} {
		dir := t.TempDir()
		blank(t, dir, "JPEGImages", "a.png")
		blank(t, dir, "JPEGImages", "b.png")
		put(t, filepath.Join(dir, "JPEGImages", "a.json"), "{}")
		put(t, filepath.Join(dir, "Annotations", "a.xml"), text)
		d := open(t, Source{Path: dir})
		if got := flat(d); !slices.Equal(got, []string{fmt.Sprint("a.png", 100, 50, "cat", [4]float64{10, 12, 30, 20}, false)}) || len(d.Dropped) > 0 {
			t.Errorf("%s: %v, left out: %v", name, got, d.Dropped)
		}
	}
}

// Folders of XML files and images as programs export them.
func TestVOCLayouts(t *testing.T) {
	for name, k := range map[string]struct {
		xml, picture, list string
		want               string
	}{
		"VOC":                        {"Annotations/a.xml", "JPEGImages/a.png", "a", "a.png"},
		"folders in both":            {"Annotations/x/a.xml", "JPEGImages/x/a.png", "x/a", "x/a.png"},
		"folders of XML files":       {"Annotations/x/a.xml", "JPEGImages/a.png", "x/a", "a.png"},
		"images in images":           {"Annotations/a.xml", "images/a.png", "a", "a.png"},
		"FiftyOne":                   {"labels/a.xml", "data/a.png", "a", "a.png"},
		"xmls and images":            {"xmls/a.xml", "images/a.png", "a", "a.png"},
		"side by side":               {"a.xml", "a.png", "a", "a.png"},
		"a large ending":             {"Annotations/a.XML", "JPEGImages/a.PNG", "a", "a.PNG"},
		"blanks":                     {"Annotations/my a.xml", "JPEGImages/my a.png", "my a", "my a.png"},
		"blanks, quoted":             {"Annotations/my a.xml", "JPEGImages/my a.png", `"my a"`, "my a.png"},
		"blanks and a column":        {"Annotations/my a.xml", "JPEGImages/my a.png", "my a -1", "my a.png"},
		"a column":                   {"Annotations/a.xml", "JPEGImages/a.png", "a  1", "a.png"},
		"a list of images":           {"Annotations/a.xml", "JPEGImages/a.png", "a.png", "a.png"},
		"a list with backslashes":    {"Annotations/x/a.xml", "JPEGImages/x/a.png", `x\a`, "x/a.png"},
		"brackets":                   {"Annotations/a [1].xml", "JPEGImages/a [1].png", "a [1]", "a [1].png"},
		"a point in the name":        {"Annotations/a.b.xml", "JPEGImages/a.b.png", "a.b", "a.b.png"},
		"an ending that is a name's": {"Annotations/a.png.xml", "JPEGImages/a.png", "a.png", "a.png"},
	} {
		for _, split := range []string{"", "train"} {
			dir := t.TempDir()
			blank(t, dir, k.picture)
			put(t, filepath.Join(dir, k.xml), "<annotation><filename>"+filepath.Base(k.picture)+"</filename>"+vocBody)
			put(t, filepath.Join(dir, "ImageSets", "Main", "train.txt"), k.list+"\n")
			d, _, err := Source{Path: dir, Split: split, Format: "voc"}.Open()
			if err != nil || len(d.Images) != 1 || d.Images[0].FileName != k.want || d.Images[0].Width != 100 {
				t.Errorf("%s, split %q: %+v, %v", name, split, d, err)
			}
		}
	}
}

// CSVs as programs write them: each has a cat at 10, 12, 30, 20 and an image without objects where the format has a way to say so.
func TestCSVForms(t *testing.T) {
	for name, text := range map[string]string{
		"keras-retinanet":     "a.png,10,12,40,32,cat\n",
		"with a header":       "path,x1,y1,x2,y2,class\na.png,10,12,40,32,cat\n",
		"with another header": "image_path,xmin,ymin,xmax,ymax,label\na.png,10,12,40,32,cat\n",
		"TensorFlow":          "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,50,cat,10,12,40,32\n",
		"large letters":       "Filename,XMin,YMin,XMax,YMax,Class\na.png,10,12,40,32,cat\n",
		"more columns":        "id,filename,xmin,ymin,xmax,ymax,label,score\n1,a.png,10,12,40,32,cat,.9\n",
		"quoted":              "\"a.png\",\"10\",\"12\",\"40\",\"32\",\"cat\"\n",
		"byte order mark":     "\xef\xbb\xbfpath,x1,y1,x2,y2,class\na.png,10,12,40,32,cat\n",
		"lines of Windows":    "a.png,10,12,40,32,cat\r\n",
		"backslashes":         "sub\\..\\a.png,10,12,40,32,cat\n",
		"a path of Windows":   "C:\\data\\a.png,10,12,40,32,cat\n",
		"another machine":     "/home/other/images/a.png,10,12,40,32,cat\n",
		"spaces":              "a.png, 10, 12, 40, 32, cat\n",
		"decimals":            "a.png,10.0,12.0,40.0,32.0,cat\n",
		"case":                "A.PNG,10,12,40,32,cat\n",
		"semicolons":          "path;x1;y1;x2;y2;class\na.png;10;12;40;32;cat\n",
		"semicolons alone":    "a.png;10;12;40;32;cat\r\n",
		"tabs":                "filename\txmin\tymin\txmax\tymax\tclass\na.png\t10\t12\t40\t32\tcat\n",
		"a comma in quotes":   "path;x1;y1;x2;y2;class;\"a, b, c, d, e, f, g\"\na.png;10;12;40;32;cat;x\n",
	} {
		dir := t.TempDir()
		blank(t, dir, "a.png")
		if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		d := open(t, Source{Path: put(t, filepath.Join(dir, "l.csv"), text)})
		if got := flat(d); len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprint(100, 50, "cat", [4]float64{10, 12, 30, 20}, false)) || len(d.Dropped) > 0 {
			t.Errorf("%s: %v, left out: %v", name, got, d.Dropped)
		}
	}
	dir := t.TempDir()
	blank(t, dir, "a.png")
	for text, want := range map[string]string{
		"filename,width,height,class\na.png,100,50,cat\n":            "lacks columns",
		"path,x1,y1,x2,y2\na.png,1,2,3,4\n":                          "lacks columns",
		"a.png,1,2,3,4,cat\nabsent.png,1,2,3,4,cat\n":                "l.csv:2: ",
		"a.png,1,2,3,4,cat\na.png,1,x,3,4,cat\n":                     `l.csv:2: "x" is no number of pixels`,
		"path,x1,y1,x2,y2,class\na.png,1,2,3,4,cat\na.png,1,2,3,4\n": "l.csv:3: 5 columns",
	} {
		checkError(t, text, Source{Path: put(t, filepath.Join(dir, "l.csv"), text)}, want)
	}
}

// An object or a file that cannot be read is named without a word of Go's libraries, and the other objects stay.
func TestVOCLeavesOut(t *testing.T) {
	const size = "<size><width>100</width><height>50</height></size>"
	whole := strings.TrimSuffix(vocBody, "</annotation>")
	for name, k := range map[string]struct {
		text, want string
		boxes      int // of the file
	}{
		"a word":               {"<annotation>" + size + whole + strings.Replace(vocBody, "11", "left", 1), "object 2 (cat): its xmin is no number", 1},
		"nothing":              {"<annotation>" + size + whole + strings.Replace(vocBody, "13", "", 1), "object 2 (cat): its ymin is no number", 1},
		"nan":                  {"<annotation>" + size + whole + strings.Replace(vocBody, "40", "nan", 1), "object 2 (cat): its xmax is no number", 1},
		"infinity":             {"<annotation>" + size + whole + strings.Replace(vocBody, "32", "Infinity", 1), "object 2 (cat): its ymax is no number", 1},
		"two numbers":          {"<annotation>" + size + whole + strings.Replace(vocBody, "32", "3 2", 1), "object 2 (cat): its ymax is no number", 1},
		"too large":            {"<annotation>" + size + whole + strings.Replace(vocBody, "32", "1e999", 1), "object 2 (cat): its ymax is no number", 1},
		"words in a polygon":   {"<annotation>" + size + whole + "<object><name>cat</name><polygon><x1>a</x1><y1>1</y1><x2>2</x2><y2>3</y2><x3>4</x3><y3>5</y3></polygon></object></annotation>", "object 2 (cat): its xmin is no number", 1},
		"no name":              {"<annotation>" + size + whole + strings.Replace(vocBody, "cat", "", 1), "object 2: the class has no name", 1},
		"an empty file":        {"", "it has no XML element", 0},
		"a text":               {"hello", "it has no XML element", 0},
		"a page of the web":    {"<html><body>", "it holds <html> and not Pascal VOC", 0},
		"a cut file":           {"<annotation>" + size + whole, "is not valid XML: unexpected EOF", 0},
		"an unknown encoding":  {"<?xml version=\"1.0\" encoding=\"klingon\"?><annotation></annotation>", `the encoding "klingon" is not known`, 0},
		"no size, no image":    {"<annotation><filename>gone.png</filename>" + vocBody, "b.xml: has no size", 0},
		"a name that is wrong": {"<annotation>" + size + "<object><name>cat</nane>", "is not valid XML", 0},
	} {
		dir := t.TempDir()
		blank(t, dir, "JPEGImages", "a.png")
		if name != "no size, no image" {
			blank(t, dir, "JPEGImages", "b.png")
		}
		put(t, filepath.Join(dir, "Annotations", "a.xml"), "<annotation>"+size+vocBody)
		put(t, filepath.Join(dir, "Annotations", "b.xml"), k.text)
		d := open(t, Source{Path: dir})
		if len(d.Annotations) != 1+k.boxes || len(d.Dropped) != 1 {
			t.Errorf("%s: %d boxes, left out: %v", name, len(d.Annotations), d.Dropped)
			continue
		}
		if seen := d.Dropped[0].Seen; !strings.Contains(seen, k.want) || !strings.Contains(seen, "b.xml") || strings.Contains(seen, "strconv") || strings.Contains(seen, "xml: ") && !strings.Contains(seen, "b.xml: ") {
			t.Errorf("%s: %q, want %q", name, seen, k.want)
		}
	}
}
