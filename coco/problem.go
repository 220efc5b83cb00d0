package coco

import (
	"fmt"
	"strings"
)

// Severity is what a Problem means for training.
type Severity int

const (
	Info    Severity = iota // worth knowing, often meant so
	Warning                 // training works, but probably not as meant
	Error                   // Index refuses the dataset, or the item is useless
)

func (s Severity) String() string { return [...]string{"info", "warning", "error"}[s] }

// Kind names a fault of the data.
type Kind string

// The faults that Check finds.
const (
	NonFinite           Kind = "not-finite"           // a box or area with NaN, Infinity or null
	UnknownImage        Kind = "unknown-image"        // an annotation's image_id is not among the images
	UnknownCategory     Kind = "unknown-category"     // its category_id is not among the categories
	HugeBox             Kind = "huge-box"             // a box whose corners or area are beyond a float64's range
	EmptyBox            Kind = "empty-box"            // width or height is zero or negative
	OutsideBox          Kind = "outside-box"          // no part of the box is inside its image
	OverhangingBox      Kind = "overhanging-box"      // a part of the box is outside its image
	BadArea             Kind = "bad-area"             // the area is zero or negative although the box is not empty
	BadSegmentation     Kind = "bad-segmentation"     // the segmentation cannot be read
	DuplicateAnnotation Kind = "duplicate-annotation" // two annotations with one id
	DuplicateImage      Kind = "duplicate-image"      // two images with one id
	DuplicateCategory   Kind = "duplicate-category"   // two categories with one id
	DuplicateFile       Kind = "duplicate-file"       // two images with one file name
	DuplicateName       Kind = "duplicate-name"       // two categories with one name
	NoFileName          Kind = "no-file-name"         // an image without a file name
	NoName              Kind = "no-name"              // a category without a name
	NoSize              Kind = "no-size"              // an image's width or height is missing, zero or negative
	NoCategories        Kind = "no-categories"        // the list of categories is empty
	NoBoxes             Kind = "no-boxes"             // an image without annotations
	UnusedCategory      Kind = "unused-category"      // a category without annotations
	ComputedArea        Kind = "computed-area"        // the file has no area for some annotations
	Unreadable          Kind = "unreadable"           // an item that was left out when the dataset was read
	Assumed             Kind = "assumed"              // what a reader took where the files do not say
	Repeated            Kind = "repeated"             // images that are listed more than once, and counted once
	TextNumber          Kind = "text-number"          // numbers are written as texts
	TextID              Kind = "text-id"              // ids are texts that are no numbers
	PixelBox            Kind = "pixel-box"            // boxes of one pixel, where the format counts both corners
	ZeroID              Kind = "zero-id"              // an annotation with id 0, which pycocotools takes for "not matched"
)

// Problem is one fault of the data.
type Problem struct {
	Severity Severity
	Kind     Kind
	Item     string // "annotations[3] (id 17, byte 420)"
	Offset   int64  // of the item in the file, in bytes; 0 when it was made in memory
	Seen     string // what is there
	Advice   string // what to do
	More     int    // faults of the kind that follow and are not listed
}

// Text is the problem without its severity.
func (p Problem) Text() string {
	return fmt.Sprintf("%s: %s: %s; %s", p.Kind, p.Item, p.Seen, p.Advice)
}

func (p Problem) String() string {
	s := p.Severity.String() + ": " + p.Text()
	if p.More > 0 {
		s += fmt.Sprintf(" (and %d more)", p.More)
	}
	return s
}

// keptOfKind bounds how many faults, or changes, of a kind are kept.
const keptOfKind = 50

// problems is a list of faults, at most keptOfKind of each kind.
type problems struct {
	list  []Problem
	count map[Kind]int
	last  map[Kind]int // index of the last of the kind
}

// room reports whether the next fault of a kind is kept; else it is counted.
func (k *problems) room(kind Kind) bool {
	if k.count[kind]++; k.count[kind] > keptOfKind {
		k.list[k.last[kind]].More++
		return false
	}
	k.last[kind] = len(k.list)
	return true
}

// CountProblems counts by severity.
func CountProblems(problems []Problem) (errors, warnings, infos int) {
	for _, p := range problems {
		switch p.Severity {
		case Error:
			errors += 1 + p.More
		case Warning:
			warnings += 1 + p.More
		default:
			infos += 1 + p.More
		}
	}
	return errors, warnings, infos
}

// Summary is a table of how many problems there are of each kind, the worst first.
func Summary(problems []Problem) string {
	type row struct {
		s Severity
		k Kind
	}
	count := map[row]int{}
	var order []row
	for _, p := range problems {
		r := row{p.Severity, p.Kind}
		if count[r] == 0 {
			order = append(order, r)
		}
		count[r] += 1 + p.More
	}
	var b strings.Builder
	for s := Error; s >= Info; s-- {
		for _, r := range order {
			if r.s == s {
				fmt.Fprintf(&b, "%-8s %-21s %8d\n", r.s, r.k, count[r])
			}
		}
	}
	return b.String()
}
