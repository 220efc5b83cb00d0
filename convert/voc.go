package convert

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/picture"
)

// Difficult says what becomes of objects that Pascal VOC calls difficult.
type Difficult string

const (
	Crowd Difficult = "crowd" // neither learned nor counted, as in VOC's own metric
	Keep  Difficult = "keep"  // like others
	Drop  Difficult = "drop"
)

// vocFile is one XML file. (VOC2012 development kit, section 7.2.)
type vocFile struct {
	XMLName  xml.Name `xml:"annotation"`
	Filename string   `xml:"filename"`
	Size     struct {
		Width  int `xml:"width"`
		Height int `xml:"height"`
		Depth  int `xml:"depth"`
	} `xml:"size"`
	Objects []vocObject `xml:"object"`
}

type vocObject struct {
	Name      string `xml:"name"`
	Truncated int    `xml:"truncated"`
	Difficult int    `xml:"difficult"`
	Box       vocBox `xml:"bndbox"`
}

// vocBox holds the outermost pixels of an object, counted from 1.
type vocBox struct {
	XMin float64 `xml:"xmin"`
	YMin float64 `xml:"ymin"`
	XMax float64 `xml:"xmax"`
	YMax float64 `xml:"ymax"`
}

// VOC reads the folder of a Pascal VOC dataset: Annotations with an XML file per picture, JPEGImages, and for a split,
// such as "train", the list ImageSets/Main/train.txt. Without a split all pictures are taken. File names are relative
// to JPEGImages. A pixel that VOC calls 1 is COCO's 0, and its last pixel is inside: x = xmin-1, width = xmax-xmin+1.
func VOC(dir, split string, difficult Difficult) (*coco.Dataset, error) {
	if !slices.Contains([]Difficult{Crowd, Keep, Drop}, difficult) {
		return nil, fmt.Errorf("convert: %q for difficult objects; there are crowd, keep and drop", difficult)
	}
	names, err := vocNames(dir, split)
	if err != nil {
		return nil, err
	}
	b := newBuilder(dir)
	var f faults
	for _, n := range names {
		if err := b.voc(dir, n, difficult, &f); err != nil {
			f.add("%w", err)
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return b.sorted(), nil
}

// vocNames lists the XML files of a split, without their ending.
func vocNames(dir, split string) ([]string, error) {
	if split == "" {
		files, err := filepath.Glob(filepath.Join(dir, "Annotations", "*.xml"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("convert: %s: no Annotations/*.xml: give the folder that holds Annotations and JPEGImages", dir)
		}
		for i, f := range files {
			files[i] = strings.TrimSuffix(filepath.Base(f), ".xml")
		}
		return files, nil
	}
	path := filepath.Join(dir, "ImageSets", "Main", split+".txt")
	b, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("convert: the list of split %q: %w", split, err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if w := strings.Fields(line); len(w) > 0 {
			out = append(out, w[0]) // a class's list has a second column
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("convert: %s is empty", path)
	}
	return out, nil
}

func (b *builder) voc(dir, name string, difficult Difficult, f *faults) error {
	path := filepath.Join(dir, "Annotations", name+".xml")
	text, err := readFile(path)
	if err != nil {
		return err
	}
	var v vocFile
	if err := xml.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	file := v.Filename
	if _, err := os.Stat(filepath.Join(dir, "JPEGImages", file)); err != nil || file == "" {
		// Tools write other names into the file; the picture is called like the XML.
		found, err := filepath.Glob(filepath.Join(dir, "JPEGImages", name+".*"))
		if err == nil && len(found) > 0 {
			file = filepath.Base(found[0])
		}
	}
	if file == "" {
		return fmt.Errorf("%s: names no picture, and JPEGImages has no %s.*", path, name)
	}
	if v.Size.Width <= 0 || v.Size.Height <= 0 {
		if v.Size.Width, v.Size.Height, err = picture.Size(filepath.Join(dir, "JPEGImages", file)); err != nil {
			return fmt.Errorf("%s: has no size: %w", path, err)
		}
	}
	image := b.image(file, v.Size.Width, v.Size.Height)
	for i, o := range v.Objects {
		hard := o.Difficult != 0
		switch {
		case strings.TrimSpace(o.Name) == "":
			f.add("%s: object %d has no name", path, i+1)
		case !finite(o.Box.XMin, o.Box.YMin, o.Box.XMax, o.Box.YMax):
			f.add("%s: object %d (%s): box %v", path, i+1, o.Name, o.Box)
		case hard && difficult == Drop:
		default:
			box := [4]float64{o.Box.XMin - 1, o.Box.YMin - 1, o.Box.XMax - o.Box.XMin + 1, o.Box.YMax - o.Box.YMin + 1}
			b.object(image, b.category(strings.TrimSpace(o.Name)), box, hard && difficult == Crowd)
		}
	}
	return nil
}

// WriteVOC writes Annotations/*.xml and ImageSets/Main/split.txt below dir. Corners are rounded to pixels, crowd regions
// become difficult objects. Pictures are not copied.
func WriteVOC(d *coco.Dataset, dir, split string) error {
	list, err := objects(d)
	if err != nil {
		return err
	}
	names, index := named(d)
	var lines strings.Builder
	for i, im := range d.Images {
		base := strings.TrimSuffix(filepath.Base(im.FileName), filepath.Ext(im.FileName))
		v := vocFile{Filename: filepath.Base(im.FileName)}
		v.Size.Width, v.Size.Height, v.Size.Depth = im.Width, im.Height, 3
		for _, a := range list[i] {
			o := vocObject{Name: names[index[a.CategoryID]]}
			if a.IsCrowd {
				o.Difficult = 1
			}
			o.Box = vocBox{round(a.BBox[0]) + 1, round(a.BBox[1]) + 1, round(a.BBox[0] + a.BBox[2]), round(a.BBox[1] + a.BBox[3])}
			v.Objects = append(v.Objects, o)
		}
		b, err := xml.MarshalIndent(v, "", "\t")
		if err != nil {
			return fmt.Errorf("convert: %s: %w", im.FileName, err)
		}
		if err := writeFile(filepath.Join(dir, "Annotations", base+".xml"), append(b, '\n')); err != nil {
			return err
		}
		lines.WriteString(base + "\n")
	}
	return writeFile(filepath.Join(dir, "ImageSets", "Main", split+".txt"), []byte(lines.String()))
}

func round(v float64) float64 { return float64(int64(v + .5)) }

// writeFile writes a file that is not there yet, with its folder.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("convert: %s is there already: give an empty folder", path)
	}
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
