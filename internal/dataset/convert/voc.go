package convert

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/media/picture"
	"retinago/internal/text"
)

// Difficult is what becomes of objects that Pascal VOC calls difficult; empty is Crowd.
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
		Width  pixels `xml:"width"`
		Height pixels `xml:"height"`
		Depth  pixels `xml:"depth"`
	} `xml:"size"`
	Objects []vocObject `xml:"object"`
}

type vocObject struct {
	Name      string   `xml:"name"`
	Truncated flag     `xml:"truncated"`
	Difficult flag     `xml:"difficult"`
	Box       *vocBox  `xml:"bndbox"`
	Polygon   *corners `xml:"polygon"`
}

// readVOC reads the folder of a Pascal VOC dataset: Annotations with an XML file per image, JPEGImages, and for a split,
// such as "train", the list ImageSets/Main/train.txt. XML files may also lie in folders within Annotations, or beside the images. A pixel that VOC calls 1 is COCO's 0, and its last pixel is inside:
// x = xmin-1, width = xmax-xmin+1.
func readVOC(s Source) (*coco.Dataset, string, error) {
	if s.Difficult == "" {
		s.Difficult = Crowd
	}
	if !slices.Contains([]Difficult{Crowd, Keep, Drop}, s.Difficult) {
		return nil, "", fmt.Errorf("convert: %q for difficult objects; there are crowd, keep and drop", s.Difficult)
	}
	if s.Images == "" {
		s.Images = s.pictures()
	}
	all, err := s.vocFiles()
	if err != nil {
		return nil, "", err
	}
	names := all
	if s.Split != "" {
		if names, err = s.vocSplit(all); err != nil {
			return nil, "", err
		}
	}
	b := newBuilder(s.Path)
	b.found = locate.New(s.Images)
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
				continue // it is named below if it belongs to the split
			}
			for _, o := range v.Objects {
				if o.Name != "" {
					b.category(o.Name)
				}
			}
		}
	}
	for _, n := range names {
		if err := b.voc(s, n, &f); err != nil {
			f.add("%w", err)
		}
	}
	if b.dots > 0 {
		b.note(coco.PixelBox, fmt.Sprintf("1 px objects: xmin = xmax and ymin = ymax in %s", text.Count(b.dots, "box")), "correct them if points were marked, or objects were not meant")
	}
	if err := f.leave(&b.d); err != nil {
		return nil, "", err
	}
	return b.dataset(s.Classes), s.Images, nil
}

// Folders of XML files and of images within a Pascal VOC dataset, as exporters call them.
var (
	xmlFolders     = []string{"Annotations", "annotations", "labels", "xml", "xmls"}
	pictureFolders = []string{"JPEGImages", "images", "Images", "data"}
)

// annotations is the folder of the XML files: Annotations, one of the others with XML files in it, or the folder itself where there is none.
func (s Source) annotations() string {
	for i, name := range xmlFolders {
		if dir := filepath.Join(s.Path, name); i == 0 && isFolder(dir) || holdsXML(dir) {
			return dir
		}
	}
	return s.Path
}

// pictures is the folder of the images where none is given: JPEGImages or images, or the folder of the XML files.
func (s Source) pictures() string {
	for _, name := range pictureFolders {
		if dir := filepath.Join(s.Path, name); isFolder(dir) {
			return dir
		}
	}
	if dir := s.annotations(); dir == s.Path {
		return dir
	}
	return filepath.Join(s.Path, "JPEGImages")
}

// vocFiles lists the XML files by their paths below the folder of annotations, without their ending.
func (s Source) vocFiles() ([]string, error) {
	dir := s.annotations()
	var out []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && p != dir && hidden(e.Name()) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil || e.IsDir() || !strings.EqualFold(filepath.Ext(p), ".xml") {
			return err
		}
		name, err := filepath.Rel(dir, p[:len(p)-len(".xml")])
		out = append(out, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("convert: %w: give the folder that holds Annotations and JPEGImages", err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("convert: %s: no Annotations/*.xml: give the folder that holds Annotations and JPEGImages", s.Path)
	}
	return out, nil
}

// vocSplit lists the XML files of the split, without their ending.
func (s Source) vocSplit(all []string) ([]string, error) {
	path := filepath.Join(s.Path, "ImageSets", "Main", s.Split+".txt")
	b, err := readFile(path, maxList)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("convert: %s: there is no list of the split %q, %s: leave the split out, or name a list that is there%s", s.Path, s.Split, path, listsText(s.lists()))
	}
	if err != nil {
		return nil, fmt.Errorf("convert: the list of split %q: %w", s.Split, err)
	}
	known := map[string]bool{}
	for _, n := range all {
		known[n] = true
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if name := listedName(line, known); name != "" {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("convert: %s is empty", path)
	}
	return out, nil
}

// lists are the splits that ImageSets/Main has lists of.
func (s Source) lists() (names []string) {
	for _, path := range files(filepath.Join(s.Path, "ImageSets", "Main"), ".txt") {
		names = append(names, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	}
	return names
}

// mostLists bounds the lists that a message names: VOC has some for every class.
const mostLists = 20

func listsText(names []string) string {
	switch {
	case len(names) == 0:
		return "; there is none"
	case len(names) > mostLists:
		return fmt.Sprintf("; there are %v and %d more", names[:mostLists], len(names)-mostLists)
	}
	return fmt.Sprintf("; there are %v", names)
}

// listedName returns the name in a line of a split's list, "" for a blank one. A class's list has a second column, which says whether the class
// is there; a name may have blanks, quotes or an image's ending.
func listedName(line string, known map[string]bool) string {
	line = strings.ReplaceAll(strings.TrimSpace(line), `\`, "/")
	all := []string{line, strings.Trim(line, `"'`)}
	if fields := strings.Fields(line); len(fields) > 1 {
		last := fields[len(fields)-1]
		before := strings.TrimSpace(strings.TrimSuffix(line, last))
		all = append(all, before, strings.Trim(before, `"'`))
	}
	for _, name := range all {
		if isPicture(name) && !known[name] {
			name = name[:len(name)-len(filepath.Ext(name))]
		}
		if known[name] {
			return name
		}
	}
	if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(line, `"`) {
		return fields[0]
	}
	return strings.Trim(line, `"'`)
}

func (s Source) vocPath(name string) string {
	path := filepath.Join(s.annotations(), filepath.FromSlash(name))
	if _, err := os.Stat(path + ".XML"); err == nil {
		return path + ".XML"
	}
	return path + ".xml"
}

// vocFile reads one XML file; names have no space around them.
func (s Source) vocFile(name string) (v vocFile, err error) {
	path := s.vocPath(name)
	text, err := readFile(path, maxPicture)
	if err != nil {
		return v, err
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") { // which the byte order mark has said
			return in, nil
		}
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("the encoding %q is not known: write the file as UTF-8", label)
		}
		return e.NewDecoder().Reader(in), nil
	}
	if err := d.Decode(&v); err != nil {
		return vocFile{}, fmt.Errorf("%s: %w", path, notXML(err))
	}
	for i := range v.Objects {
		v.Objects[i].Name = strings.TrimSpace(v.Objects[i].Name)
	}
	return v, nil
}

// notXML says why a file cannot be read as XML.
func notXML(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it has no XML element: it is empty, or another kind of file")
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d is not valid XML: %s", syntax.Line, syntax.Msg)
	}
	if _, have, ok := strings.Cut(err.Error(), "expected element type <annotation> but have <"); ok {
		return fmt.Errorf("it holds <%s and not Pascal VOC's <annotation>: export it as Pascal VOC, COCO or YOLO", have)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "xml: "))
}

// vocPicture is the name of the image of an XML file, "" for none: the one that is called like the XML, else the one that it names. Files are
// renamed together, and what is written in them stays.
func (b *builder) vocPicture(s Source, name, written string) string {
	for _, stem := range []string{name, path.Base(name)} {
		if found := b.listed.first(filepath.Join(s.Images, filepath.FromSlash(stem)) + "."); found != "" {
			return path.Join(path.Dir(stem), found)
		}
	}
	for _, n := range []string{path.Join(path.Dir(name), strings.ReplaceAll(written, `\`, "/")), written} {
		if found, ok := b.found.Find(n); ok && written != "" {
			return found
		}
	}
	return written
}

// voc adds an image and its objects.
func (b *builder) voc(s Source, name string, f *faults) error {
	v, err := s.vocFile(name)
	if err != nil {
		return err
	}
	path, file := s.vocPath(name), b.vocPicture(s, name, v.Filename)
	if file == "" {
		return fmt.Errorf("%s: names no image, and %s has no %s.*", path, s.Images, name)
	}
	w, h := int(v.Size.Width), int(v.Size.Height)
	if w <= 0 || h <= 0 {
		if w, h, err = picture.Size(b.found.Path(file)); err != nil {
			return fmt.Errorf("%s: has no size: %w", path, err)
		}
	}
	image := b.image(file, w, h)
	for i, o := range v.Objects {
		hard := o.Difficult != 0
		if hard && s.Difficult == Drop {
			continue
		}
		box := o.Box
		if box == nil {
			box = o.Polygon.box()
		}
		if box == nil {
			box = &vocBox{}
		}
		category, err := b.class(o.Name, s.Classes)
		switch {
		case err != nil:
			f.add("%s: object %d: %w", path, i+1, err)
		case box.fault() != "":
			f.add("%s: object %d (%s): %s", path, i+1, o.Name, box.fault())
		default:
			if box.XMin == box.XMax && box.YMin == box.YMax {
				b.dots++
			}
			x1, y1, x2, y2 := float64(box.XMin), float64(box.YMin), float64(box.XMax), float64(box.YMax)
			b.object(image, category, [4]float64{x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1}, hard && s.Difficult == Crowd)
		}
	}
	return nil
}

// WriteVOC writes Annotations/*.xml and ImageSets/Main/split.txt below dir. Corners are rounded to pixels, crowd regions
// become difficult objects. Images are not copied.
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
	out, parts := folder(dir), filepath.Join("ImageSets", "Main", split+".txt")
	if err := out.free(append(below("Annotations", files), parts)); err != nil {
		return err
	}
	var lines strings.Builder
	for i, im := range d.Images {
		v := vocFile{Filename: filepath.Base(im.FileName)}
		v.Size.Width, v.Size.Height, v.Size.Depth = pixels(im.Width), pixels(im.Height), 3
		for _, a := range list[i] {
			o := vocObject{Name: names[index[a.CategoryID]]}
			if a.IsCrowd {
				o.Difficult = 1
			}
			o.Box = &vocBox{round(a.BBox[0]) + 1, round(a.BBox[1]) + 1, round(a.BBox[0] + a.BBox[2]), round(a.BBox[1] + a.BBox[3])}
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
	return errors.Join(out.write(parts, []byte(lines.String())), out.sync())
}

// below are the paths of files in a folder.
func below(dir string, files []string) (paths []string) {
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, f))
	}
	return paths
}

func round(v float64) number { return number(int64(v + .5)) }
