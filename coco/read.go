package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"retinago/internal/file"
)

// LoadOptions are what Load keeps besides the boxes. The zero value keeps the least.
type LoadOptions struct {
	Segmentation bool // keep Annotation.Segmentation (most of the size of COCO's own files)
	Extra        bool // keep unknown members, so that Save loses nothing
	LeaveOut     bool // leave out images and annotations that cannot be read, as Dataset.Dropped lists them; else they are errors
	Pictures     bool // the images alone are wanted: a file without annotations or categories, as of a test set, is read too
}

// Load reads an instances file as a stream and keeps what detection needs. It is strict about structure: text
// that is not JSON or ends too soon, wrong types and missing keys are errors that name the file, the item and
// its byte offset. Faults of the data are left to Check and Fix.
func Load(path string) (*Dataset, error) { return LoadWith(path, LoadOptions{}) }

// LoadWith is Load with a choice of what to keep.
func LoadWith(path string, o LoadOptions) (*Dataset, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path, o)
}

// maxFile bounds instances and results files, in bytes: ten times the largest that are published.
const maxFile = 64 << 30

// An error of open includes what to do.
func open(path string) (io.ReadCloser, error) {
	f, err := file.Stream(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: check the path", err)
	}
	return f, err
}

// Read is LoadWith on a stream; name stands for the file in messages.
func Read(r io.Reader, name string, o LoadOptions) (*Dataset, error) {
	l := &loader{item: item{s: newScanner(r)}, opts: o, d: &Dataset{Path: name}}
	l.faults = &faults{}
	l.path = name
	l.document()
	if err := l.finish(); err != nil {
		return nil, err
	}
	l.d.texts, l.d.named = l.texts, l.named
	l.d.Images, l.d.Annotations, l.d.Categories = l.images.list(), l.annotations.list(), l.categories.list()
	l.leaveOrphans()
	return l.d, nil
}

// loader fills a Dataset from a scanner.
type loader struct {
	item
	opts  LoadOptions
	d     *Dataset
	extra []byte         // members of the current object that have no field
	lost  map[int64]bool // ids of images that were left out

	images      pile[Image]
	annotations pile[Annotation]
	categories  pile[Category]
}

// maxMembers bounds the members of the outermost object.
const maxMembers = 10_000

func (l *loader) document() {
	if c := l.s.peek(); l.s.err == nil && c != '{' {
		l.faults.add("%s: starts with %q, but a COCO instances file is an object {\"images\": [...], "+
			"\"annotations\": [...], \"categories\": [...]}: check that this is the right file", l.path, c)
		return
	}
	seen := map[string]bool{}
	var extra []byte
	l.s.object(func(key []byte) {
		k := string(key)
		if len(seen) == maxMembers {
			l.s.fail("saw more than %d members of the outermost object", maxMembers)
			return
		}
		if seen[k] {
			l.faults.add("%s: the key %q appears twice, the second time at byte %d: merge the two", l.path, k, l.s.offset())
			l.s.skip()
			return
		}
		seen[k] = true
		switch k {
		case "info":
			l.d.Info = bytes.Clone(l.s.capture())
		case "licenses":
			l.d.Licenses = bytes.Clone(l.s.capture())
		case "images":
			l.list(k, l.image)
		case "annotations":
			l.list(k, l.annotation)
		case "categories":
			l.list(k, l.category)
		default:
			if l.opts.Extra {
				extra = appendMember(extra, k, l.s.capture())
			} else {
				l.s.skip()
			}
		}
	})
	l.s.atEnd()
	l.d.Extra = closeMembers(extra)
	for _, k := range []string{"images", "annotations", "categories"} {
		switch {
		case l.s.err != nil || seen[k] || l.opts.Pictures && k != "images":
		case k != "annotations" || !seen["images"]:
			l.faults.add("%s: has no %q: a COCO instances file needs images, annotations and categories; check that this is the right file", l.path, k)
		default:
			l.faults.add("%s: has no \"annotations\", as the files of test sets: nothing can be learned from it or measured on it; `detect -data` takes image ids from it", l.path)
		}
	}
}

// list reads an array of objects.
func (l *loader) list(section string, read func()) {
	l.section, l.index = section, -1
	if c := l.s.peek(); l.s.err == nil && c != '[' {
		l.faults.add("%s: %s at byte %d: want a list of objects, saw %s", l.path, section, l.s.offset(), l.seen())
		return
	}
	l.s.array(func(i int) {
		l.begin(i)
		if c := l.s.peek(); l.s.err == nil && c != '{' {
			l.wrong("", "an object")
		} else {
			l.extra = nil
			read()
		}
		if l.opts.LeaveOut && section != "categories" {
			l.leave()
		}
		if l.flush(); !l.sound() {
			l.images, l.annotations, l.categories = pile[Image]{}, pile[Annotation]{}, pile[Category]{}
		}
	})
	if l.s.err == nil {
		l.section = ""
	}
}

// other handles a member that has no field.
func (l *loader) other(key []byte) {
	if !l.opts.Extra {
		l.s.skip()
		return
	}
	k := string(key)
	l.extra = appendMember(l.extra, k, l.s.capture())
}

func (l *loader) image() {
	im := Image{offset: l.start}
	l.s.object(func(key []byte) {
		switch string(key) {
		case "id":
			im.ID = l.identity()
		case "file_name":
			im.FileName = l.text("file_name")
		case "width":
			im.Width = l.size("width")
		case "height":
			im.Height = l.size("height")
		default:
			l.other(key)
		}
	})
	l.need(l.hasID, "id")
	if l.sound() {
		im.Extra = closeMembers(l.extra)
		l.images.add(im)
	}
}

func (l *loader) category() {
	c := Category{offset: l.start}
	l.s.object(func(key []byte) {
		switch string(key) {
		case "id":
			c.ID = l.identity()
		case "name":
			c.Name = l.text("name")
		case "supercategory":
			c.Supercategory = l.text("supercategory")
		default:
			l.other(key)
		}
	})
	l.need(l.hasID, "id")
	if l.sound() {
		c.Extra = closeMembers(l.extra)
		l.categories.add(c)
	}
}

func (l *loader) annotation() {
	a := Annotation{offset: l.start}
	var image, category, box, area bool
	var mask []byte
	l.s.object(func(key []byte) {
		switch string(key) {
		case "id":
			a.ID = l.identity()
		case "image_id":
			a.ImageID, image = l.integer("image_id"), true
		case "category_id":
			a.CategoryID, category = l.integer("category_id"), true
		case "bbox":
			a.BBox, box = l.box(), true
		case "area":
			a.Area, area = l.real("area"), true
		case "iscrowd":
			a.IsCrowd = l.flag("iscrowd")
		case "ignore":
			a.Ignore = l.flag("ignore")
		case "segmentation":
			mask, a.badMask = l.segmentation()
		default:
			l.other(key)
		}
	})
	l.need(l.hasID, "id")
	l.need(image, "image_id")
	l.need(category, "category_id")
	if (!area || !box) && len(l.pending) == 0 && l.s.err == nil {
		box = l.fromMask(&a, mask, box, area) || box
	}
	l.need(box, "bbox")
	if !l.sound() {
		return
	}
	if l.opts.Segmentation && mask != nil {
		a.Segmentation = bytes.Clone(mask)
	}
	a.Extra = closeMembers(l.extra)
	l.annotations.add(a)
}

// maxMask bounds the text of a segmentation that is measured, in bytes.
const maxMask = 4 << 20

var errLarge = fmt.Errorf("segmentation: more than %d bytes", maxMask)

// fromMask fills a missing area, and a missing box, from the segmentation; the area of a box without a
// segmentation is its own. It reports whether the mask gave the box.
func (l *loader) fromMask(a *Annotation, mask []byte, box, area bool) bool {
	var area0 float64
	var box0 [4]float64
	known := false
	if mask != nil && !a.badMask {
		var seg *Segmentation
		err := errLarge
		if len(mask) <= maxMask {
			seg, err = ParseSegmentation(mask)
		}
		a.badMask = err != nil
		if known = err == nil && !seg.Empty(); known {
			area0, box0 = seg.Area(), seg.BBox()
		}
	}
	if !box && known {
		a.BBox = box0
	}
	if !area {
		a.noArea = true
		if a.Area = a.BBox[2] * a.BBox[3]; known {
			a.Area = area0
		}
	}
	return known
}

// segmentation reads polygons, RLE or null; the text is valid until the next capture, so that extra members
// that follow must not disturb it: it is copied when they are kept.
func (l *loader) segmentation() (text []byte, bad bool) {
	switch c := l.s.peek(); {
	case l.s.err != nil:
		return nil, false
	case c == 'n':
		l.s.word("null")
		return nil, false
	case c != '[' && c != '{':
		l.wrong("segmentation", "polygons [[x, y, ...]] or RLE {\"counts\", \"size\"}")
		return nil, false
	}
	before := l.s.nonFinite
	text = l.s.capture()
	if l.opts.Extra {
		text = bytes.Clone(text)
	}
	return text, l.s.nonFinite > before
}

// appendMember adds "key": value to the text of an object that closeMembers ends.
func appendMember(text []byte, key string, value []byte) []byte {
	if text == nil {
		text = append(text, '{')
	} else {
		text = append(text, ',')
	}
	k, err := json.Marshal(key)
	if err != nil {
		panic("coco: a string that JSON cannot hold: " + err.Error())
	}
	return append(append(append(text, k...), ':'), value...)
}

func closeMembers(text []byte) json.RawMessage {
	if text == nil {
		return nil
	}
	return bytes.Clone(append(text, '}'))
}
