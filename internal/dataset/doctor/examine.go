package doctor

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/internal/text"
)

// Findings besides those of coco.Dataset.Check.
const (
	BlankName      coco.Kind = "blank-name"      // a category whose name is of white space
	NoImages       coco.Kind = "no-images"       // the dataset has no images
	ManyBoxes      coco.Kind = "many-boxes"      // an image has more boxes than any real image has
	NoLabels       coco.Kind = "no-labels"       // the dataset has no annotations
	NoObjects      coco.Kind = "no-objects"      // no annotation's box lies within its image
	AllCrowd       coco.Kind = "all-crowd"       // every annotation is a crowd
	Shares         coco.Kind = "shares"          // boxes seem to be shares of their images, not pixels
	MostLeftOut    coco.Kind = "left-out"        // most items could not be read
	NoPictures     coco.Kind = "no-pictures"     // the file of no image is there
	MissingPicture coco.Kind = "missing-picture" // an image's file is not there
	BrokenPicture  coco.Kind = "broken-picture"  // an image's file cannot be read
	SidesSwapped   coco.Kind = "sides-swapped"   // the annotated width and height are the file's height and width
	OtherShape     coco.Kind = "other-shape"     // the annotated sides have another ratio than the file's
	OtherSize      coco.Kind = "other-size"      // the annotated sides have the file's ratio, but another length
)

// spoiling are the errors with which a run is possible, but not what is meant.
var spoiling = []coco.Kind{NoLabels, NoObjects, AllCrowd, Shares, MostLeftOut, NoPictures, MissingPicture, BrokenPicture, SidesSwapped, OtherShape}

// ignorable reports whether a run can go on in spite of an error, if the user wants it to.
func ignorable(p coco.Problem) bool { return slices.Contains(spoiling, p.Kind) }

// Options choose what is examined. The zero value looks at the entries of the dataset alone.
type Options struct {
	Images string // folder of the images; without one they are not looked at
	// Run asks for what would spoil training or evaluation: a dataset without labels, boxes of another image. Without it the
	// images are only looked for.
	Run     bool
	Headers *Headers // reads the images' sizes; nil leaves them out
}

// examine finds what is wrong, in the order of the dataset: entries, the whole, images. It ends with an error of ctx alone.
func examine(ctx context.Context, d *coco.Dataset, o Options) iter.Seq2[coco.Problem, error] {
	return func(yield func(coco.Problem, error) bool) {
		x := examination{d: d, o: o}
		for _, step := range []func() iter.Seq[coco.Problem]{x.entries, x.names, x.counts} {
			for p := range step() {
				if !yield(p, nil) {
					return
				}
			}
		}
		if o.Images == "" {
			return
		}
		seen, err := x.read(ctx)
		if err != nil {
			yield(coco.Problem{}, err)
			return
		}
		for p := range x.pictures(seen) {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// examination is one pass over a dataset.
type examination struct {
	d *coco.Dataset
	o Options
}

// entries are the faults of ids, boxes and sizes, graded by what they mean for a run.
func (x *examination) entries() iter.Seq[coco.Problem] {
	return func(yield func(coco.Problem) bool) {
		for p := range x.d.Problems() {
			switch p.Kind {
			case coco.EmptyBox, coco.OutsideBox, coco.HugeBox, coco.Unreadable, coco.ZeroID: // a run goes on without the item
				p.Severity = coco.Warning
			case coco.DuplicateName: // named below, by ids
				continue
			case coco.NoFileName, coco.NoSize:
				if x.o.Images != "" { // named with the images
					continue
				}
			}
			if !yield(p) {
				return
			}
		}
	}
}

// names are categories that a model cannot tell apart by their names, or that have none.
func (x *examination) names() iter.Seq[coco.Problem] {
	return func(yield func(coco.Problem) bool) {
		first, known := map[string]int64{}, map[int64]bool{}
		for _, c := range x.d.Categories {
			if known[c.ID] {
				continue // named already
			}
			known[c.ID] = true
			name := c.Name
			if name == "" {
				name = fmt.Sprintf("category %d", c.ID)
			}
			other, twice := first[name]
			p := coco.Problem{Severity: coco.Error, Item: "categories"}
			switch {
			case strings.TrimSpace(name) == "":
				p.Kind, p.Seen, p.Advice = BlankName, fmt.Sprintf("category %d is called %q", c.ID, name), "give it a name"
			case twice:
				p.Kind, p.Seen = coco.DuplicateName, fmt.Sprintf("categories %d and %d are both called %q", other, c.ID, name)
				p.Advice = "rename one, or give the annotations of both one category_id"
			default:
				first[name] = c.ID
				continue
			}
			if !yield(p) {
				return
			}
		}
	}
}

// MaxBoxes bounds the boxes of an image; published datasets have thousands at most.
const MaxBoxes = 100_000

// counts are faults of the dataset as a whole.
func (x *examination) counts() iter.Seq[coco.Problem] {
	d := x.d
	return func(yield func(coco.Problem) bool) {
		whole := func(k coco.Kind, seen, advice string) bool {
			return yield(coco.Problem{Severity: coco.Error, Kind: k, Item: whole, Seen: seen, Advice: advice})
		}
		if len(d.Images) == 0 && !whole(NoImages, "it has no images", "check that this is the right file") {
			return
		}
		t := totalsOf(d)
		for i := range d.Images {
			if n := t.boxes[d.Images[i].ID]; n > MaxBoxes && !yield(coco.Problem{Severity: coco.Error, Kind: ManyBoxes, Item: item(&d.Images[i]),
				Seen: fmt.Sprintf("it has %d boxes, more than %d", n, MaxBoxes), Advice: "are they of several images? Give each image its own"}) {
				return
			}
		}
		if !x.o.Run || len(d.Images) == 0 {
			return
		}
		if n, rest := LeftOut(d), len(d.Images)+len(d.Annotations); n > rest && !whole(MostLeftOut, fmt.Sprintf("%d items could not be read, more than the %d images and boxes that could", n, rest), "correct them: `data check` lists them") {
			return
		}
		switch {
		case len(d.Annotations) == 0:
			whole(NoLabels, "no labels were found: every image is background", "check where they are: "+whereLabels)
		case t.within == 0:
			whole(NoObjects, fmt.Sprintf("none of its %d boxes lies in its image", len(d.Annotations)), "write boxes as x, y, width, height in pixels")
		case t.within == t.crowds:
			whole(AllCrowd, fmt.Sprintf("all of its %d boxes are crowds, of which nothing is learned and which are not measured", t.within), "set iscrowd to 0 (difficult, in Pascal VOC) where a box is of one object")
		case t.within == t.shares:
			whole(Shares, fmt.Sprintf("all of its %d boxes lie between 0 and 1", t.within), "they seem to be shares of the image: multiply them by its width and height")
		}
	}
}

const whereLabels = "COCO's annotations, XML files in Annotations, YOLO's labels/NAME.txt for images/NAME.jpg or NAME.txt beside it, rows with boxes in a CSV"

// totals count annotations.
type totals struct {
	boxes  map[int64]int // by image id
	within int           // with a part of their box in their image
	crowds int           // of within
	shares int           // of within: boxes that end at 1 at most, where the image is larger
}

func totalsOf(d *coco.Dataset) totals {
	t := totals{boxes: map[int64]int{}}
	images := make(map[int64]*coco.Image, len(d.Images))
	for i := range d.Images {
		images[d.Images[i].ID] = &d.Images[i]
	}
	for i := range d.Annotations {
		a := &d.Annotations[i]
		t.boxes[a.ImageID]++
		im, ok := images[a.ImageID]
		c := coco.XYXY(a.BBox)
		if !ok || !(a.BBox[2] > 0 && a.BBox[3] > 0 && c[2] > 0 && c[3] > 0) ||
			im.Width > 0 && !(c[0] < float64(im.Width)) || im.Height > 0 && !(c[1] < float64(im.Height)) {
			continue
		}
		t.within++
		if a.IsCrowd {
			t.crowds++
		}
		if c[2] <= 1 && c[3] <= 1 && im.Width > 1 && im.Height > 1 {
			t.shares++
		}
	}
	return t
}

// whole is the item of findings of a dataset as a whole.
const whole = "the dataset"

// LeftOut is the number of items that a reader has left out.
func LeftOut(d *coco.Dataset) int {
	n := 0
	for _, p := range d.Dropped {
		n += 1 + p.More
	}
	return n
}

// item names an image.
func item(im *coco.Image) string {
	return fmt.Sprintf("image %d (%s)", im.ID, text.Printable(im.FileName))
}
