package convert

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/internal/media/picture"
)

// Difficult says what becomes of objects that Pascal VOC calls difficult; empty is Crowd.
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

// readVOC reads the folder of a Pascal VOC dataset: Annotations with an XML file per picture, JPEGImages, and for a split,
// such as "train", the list ImageSets/Main/train.txt. A pixel that VOC calls 1 is COCO's 0, and its last pixel is inside:
// x = xmin-1, width = xmax-xmin+1.
func readVOC(s Source) (*coco.Dataset, string, error) {
	if s.Difficult == "" {
		s.Difficult = Crowd
	}
	if !slices.Contains([]Difficult{Crowd, Keep, Drop}, s.Difficult) {
		return nil, "", fmt.Errorf("convert: %q for difficult objects; there are crowd, keep and drop", s.Difficult)
	}
	if s.Images == "" {
		s.Images = filepath.Join(s.Path, "JPEGImages")
	}
	all, err := s.vocFiles()
	if err != nil {
		return nil, "", err
	}
	names := all
	if s.Split != "" {
		if names, err = s.vocSplit(); err != nil {
			return nil, "", err
		}
	}
	b := newBuilder(s.Path)
	var f faults
	if s.Classes != "" {
		if err := b.classList(s.Classes); err != nil {
			return nil, "", err
		}
	} else {
		// Classes are those of the whole folder, so that all splits have the same.
		for _, n := range all {
			v, err := s.vocFile(n)
			if err != nil {
				f.add("%w", err)
			}
			for _, o := range v.Objects {
				if o.Name != "" {
					b.category(o.Name)
				}
			}
		}
		if err := f.err(); err != nil {
			return nil, "", err
		}
	}
	for _, n := range names {
		if err := b.voc(s, n, &f); err != nil {
			f.add("%w", err)
		}
	}
	if err := f.err(); err != nil {
		return nil, "", err
	}
	return b.dataset(s.Classes), s.Images, nil
}

// vocFiles lists the XML files, without their ending.
func (s Source) vocFiles() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.Path, "Annotations"))
	if err != nil {
		return nil, fmt.Errorf("convert: %w: give the folder that holds Annotations and JPEGImages", err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".xml"); ok {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("convert: %s: no Annotations/*.xml: give the folder that holds Annotations and JPEGImages", s.Path)
	}
	return out, nil
}

// vocSplit lists the XML files of the split, without their ending.
func (s Source) vocSplit() ([]string, error) {
	path := filepath.Join(s.Path, "ImageSets", "Main", s.Split+".txt")
	b, err := readFile(path, maxList)
	if err != nil {
		return nil, fmt.Errorf("convert: the list of split %q: %w", s.Split, err)
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

func (s Source) vocPath(name string) string { return filepath.Join(s.Path, "Annotations", name+".xml") }

// vocFile reads one XML file; names have no space around them.
func (s Source) vocFile(name string) (v vocFile, err error) {
	text, err := readFile(s.vocPath(name), maxPicture)
	if err != nil {
		return v, err
	}
	if err := xml.Unmarshal(text, &v); err != nil {
		return vocFile{}, fmt.Errorf("%s: %w", s.vocPath(name), err)
	}
	for i := range v.Objects {
		v.Objects[i].Name = strings.TrimSpace(v.Objects[i].Name)
	}
	return v, nil
}

// voc adds a picture and its objects.
func (b *builder) voc(s Source, name string, f *faults) error {
	v, err := s.vocFile(name)
	if err != nil {
		return err
	}
	path, file := s.vocPath(name), v.Filename
	if _, err := os.Stat(filepath.Join(s.Images, file)); err != nil || file == "" {
		// Tools write other names into the file; the picture is called like the XML.
		if found := b.listed.first(filepath.Join(s.Images, name) + "."); found != "" {
			file = found
		}
	}
	if file == "" {
		return fmt.Errorf("%s: names no picture, and %s has no %s.*", path, s.Images, name)
	}
	if v.Size.Width <= 0 || v.Size.Height <= 0 {
		if v.Size.Width, v.Size.Height, err = picture.Size(filepath.Join(s.Images, file)); err != nil {
			return fmt.Errorf("%s: has no size: %w", path, err)
		}
	}
	image := b.image(file, v.Size.Width, v.Size.Height)
	for i, o := range v.Objects {
		hard := o.Difficult != 0
		if hard && s.Difficult == Drop {
			continue
		}
		category, err := b.class(o.Name, s.Classes)
		switch {
		case err != nil:
			f.add("%s: object %d: %w", path, i+1, err)
		case !finite(o.Box.XMin, o.Box.YMin, o.Box.XMax, o.Box.YMax):
			f.add("%s: object %d (%s): box %v", path, i+1, o.Name, o.Box)
		default:
			box := [4]float64{o.Box.XMin - 1, o.Box.YMin - 1, o.Box.XMax - o.Box.XMin + 1, o.Box.YMax - o.Box.YMin + 1}
			b.object(image, category, box, hard && s.Difficult == Crowd)
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
	files, err := outputs(d, func(n string) string { return strings.TrimSuffix(filepath.Base(n), filepath.Ext(n)) + ".xml" })
	if err != nil {
		return err
	}
	out := folder(dir)
	var lines strings.Builder
	for i, im := range d.Images {
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
		if err := out.write(filepath.Join("Annotations", files[i]), append(b, '\n')); err != nil {
			return err
		}
		lines.WriteString(strings.TrimSuffix(files[i], ".xml") + "\n")
	}
	return errors.Join(out.write(filepath.Join("ImageSets", "Main", split+".txt"), []byte(lines.String())), out.sync())
}

func round(v float64) float64 { return float64(int64(v + .5)) }
