package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// Source is a dataset in place, in any format.
//
//	format      Path                                       Split                          Classes              Images, when empty
//	coco        instances JSON                             -                              -                    stays empty
//	voc         folder with Annotations, or with XML files ImageSets/Main/SPLIT.txt       class,number         JPEGImages or images of the folder
//	yolo        data.yaml, obj.data of Darknet, or a       key of data.yaml or obj.data,  -                    must be: data.yaml names it
//	            folder with images and labels              or a folder's name
//	csv         path,x1,y1,x2,y2,class of keras-retinanet, value of a column split        class,number         looked for beside the CSV, else its folder
//	            or columns that a header names
//	openimages  boxes CSV                                  file of ids beside the CSV     class descriptions   images, or the CSV's part, beside it
//
// Category ids run from 1 in the order of Classes, or of YOLO's names; without Classes in the order of names, of all
// files in Annotations whatever the split, of the one CSV otherwise. A training set and a validation set in two folders
// or two CSVs may lack different classes: give both the same Classes.
//
// An image is looked for by package locate where a file has a name for it: names may have been written on other systems.
type Source struct {
	Path      string
	Format    string // one of Formats; empty is recognised by Path
	Split     string // the part to read; empty reads all
	Classes   string // CSV file that lists the classes
	Images    string // folder that the images' file names are relative to
	Difficult Difficult
	Select    Selection
	Sizer     Sizer // reads the sizes of many images at once; nil reads them one by one
	Pictures  bool  // only the images' names and ids are wanted: a COCO file without annotations is read too
	Whole     bool  // keep what a COCO file has besides boxes, so that nothing is lost when it is written again
}

// Sizer reads the sizes of images together, where a format does not say them. Sizes returns the function that gives them by path, upright,
// or why one cannot be read; root is the folder that most of them are in.
type Sizer interface {
	Sizes(root string, paths []string) func(path string) (w, h int, err error)
}

func (s Source) sizes(root string, paths []string) func(path string) (w, h int, err error) {
	if s.Sizer == nil {
		return picture.Size
	}
	return s.Sizer.Sizes(root, paths)
}

// format is a way to read a Source.
type format struct {
	name  string
	takes []string // the choices that it knows
	read  func(Source) (d *coco.Dataset, images string, err error)
}

var formats = []format{
	{"coco", []string{"images"}, readCOCO},
	{"voc", []string{"split", "classes", "images", "difficult"}, readVOC},
	{"yolo", []string{"split"}, readYOLO},
	{"csv", []string{"split", "classes", "images"}, readCSV},
	{"openimages", []string{"split", "classes", "images"}, readOpenImages},
}

// Formats are the names of the formats that can be read.
func Formats() []string {
	var out []string
	for _, f := range formats {
		out = append(out, f.name)
	}
	return out
}

// Open reads the dataset and returns the folder of its images; only COCO's file may leave that open. A choice that
// the format does not know is an error.
func (s Source) Open() (d *coco.Dataset, images string, err error) {
	split := s.Split
	if s, err = s.resolve(); err != nil {
		return nil, "", err
	}
	name := s.Format
	if name == "" {
		if name, err = s.format(); err != nil {
			return nil, "", err
		}
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return nil, "", fmt.Errorf("convert: %s: no format is called %q; there are %s", s.Path, name, strings.Join(Formats(), ", "))
	}
	for _, choice := range [][2]string{{"split", s.Split}, {"classes", s.Classes}, {"images", s.Images}, {"difficult", string(s.Difficult)}} {
		if choice[1] != "" && !slices.Contains(formats[i].takes, choice[0]) {
			return nil, "", fmt.Errorf("convert: %s: the format %s has no choice of %s: leave %q out", s.Path, name, choice[0], choice[1])
		}
	}
	if d, images, err = formats[i].read(s.withClasses(name)); err == nil {
		err = s.Select.apply(d)
	}
	if err == nil && split != "" {
		d.Path += " (" + split + ")"
	}
	return d, images, err
}

// format recognises the format by the path: a folder with Annotations, the file's ending, the header of a CSV.
func (s Source) format() (string, error) {
	ending := strings.ToLower(filepath.Ext(s.Path))
	if ending == ".json" {
		return "coco", nil
	}
	st, err := os.Stat(s.Path)
	if err != nil {
		return "", unreachable(s.Path, err)
	}
	if st.IsDir() {
		if dir := s.annotations(); dir != s.Path || holdsXML(dir) {
			return "voc", nil
		}
		if isYOLO(s.Path) {
			return "yolo", nil
		}
		return "", fmt.Errorf("convert: %s: a folder without Annotations and XML files is no Pascal VOC dataset, and one without labels is none of YOLO; of other formats give the file: COCO's JSON, YOLO's data.yaml, a CSV", s.Path)
	}
	switch ending {
	case ".yaml", ".yml", ".data":
		return "yolo", nil
	case ".csv":
		if first, err := firstRecord(s.Path); err == nil && columnOf(first, "ImageID") >= 0 && columnOf(first, "LabelName") >= 0 {
			return "openimages", nil
		}
		return "csv", nil
	}
	if ending == ".xml" {
		return "", fmt.Errorf("convert: %s: Pascal VOC has an XML file for each image: give their folder", s.Path)
	}
	return "", fmt.Errorf("convert: %s: the ending %q is of no format; name the format: %s", s.Path, ending, strings.Join(Formats(), ", "))
}

// unreachable is the error of a path that cannot be looked at. A relative one is named with the folder that it starts from.
func unreachable(path string, err error) error {
	from := file.From(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("convert: there is no %s%s: give a dataset's file or folder", path, from)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("convert: %s%s: %w", path, from, err)
}

// holdsXML reports whether a folder holds an XML file.
func holdsXML(dir string) bool {
	all, err := filepath.Glob(filepath.Join(pattern(dir), "*.[xX][mM][lL]"))
	return err == nil && len(all) > 0
}

// pattern is a pattern that fits a path alone.
func pattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

func readCOCO(s Source) (*coco.Dataset, string, error) {
	d, err := coco.LoadWith(s.Path, coco.LoadOptions{Segmentation: s.Whole, Extra: s.Whole, LeaveOut: true, Pictures: s.Pictures})
	if err != nil || s.Images == "" {
		return d, s.Images, err
	}
	pictures := locate.New(s.Images)
	var unsized []int
	var paths []string
	for i := range d.Images {
		im := &d.Images[i]
		name, ok := pictures.Find(im.FileName)
		if !ok {
			continue
		}
		im.FileName = name
		if im.Width <= 0 || im.Height <= 0 {
			unsized, paths = append(unsized, i), append(paths, pictures.Path(name))
		}
	}
	size := s.sizes(s.Images, paths)
	for k, i := range unsized {
		if w, h, err := size(paths[k]); err == nil {
			d.Images[i].Width, d.Images[i].Height = w, h
		}
	}
	return d, s.Images, nil
}
