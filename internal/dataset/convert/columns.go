package convert

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// columns says in which columns of a CSV the values of a row stand.
type columns struct {
	picture int
	class   int   // -1 where all objects are of one class
	part    int   // -1 where no column says to which part of the dataset a row belongs
	box     []int // four columns of numbers, or one of all
	form    form
	shares  bool // boxes are shares of the image, not pixels
	header  int  // columns of the header, 0 without one
}

// form makes x, y, width and height of the four numbers of a box.
type form func(v [4]float64) [4]float64

func ofCorners(v [4]float64) [4]float64 { return [4]float64{v[0], v[1], v[2] - v[0], v[3] - v[1]} }
func ofSize(v [4]float64) [4]float64    { return v }
func ofCentre(v [4]float64) [4]float64 {
	return [4]float64{v[0] - v[2]/2, v[1] - v[3]/2, v[2], v[3]}
}

// plainColumns are those of keras-retinanet, which has no header.
var plainColumns = columns{picture: 0, box: []int{1, 2, 3, 4}, class: 5, part: -1, form: ofCorners}

// vertexColumns are those of Vertex AI and AutoML, without a header: part, address, class and four corners as shares of the image, of which
// the first and the third are enough.
var vertexColumns = columns{part: 0, picture: 1, class: 2, box: []int{3, 4, 7, 8}, form: ofCorners, shares: true}

// vertexWidth is the number of their columns.
const vertexWidth = 11

// least is the number of columns that a line must have.
func (c columns) least() int { return max(c.picture, c.class, c.part, slices.Max(c.box)) + 1 }

// Names of columns, in small letters without anything between the words.
var (
	pictureColumn = regexp.MustCompile(`^(gcs|source|image|img|photo|picture|file|path|name|uri|url|id)+s?$`)
	picturePart   = regexp.MustCompile(`image|img|photo|picture|file|path|uri|url`)
	classColumn   = regexp.MustCompile(`^(class|label|category|object|species|tag|display|text|name|id|index|idx|number)+(e?s)?$|^categories$`)
	classPart     = regexp.MustCompile(`class|label|categor|species|tag|^name$|^objects?(name)?$`)
	anAddress     = regexp.MustCompile(`ur[il]s?$`)
	anID          = regexp.MustCompile(`(id|index|idx|number)s?$`)

	partColumns = []string{"split", "set", "subset", "part", "partition", "mluse", "usage", "dataset", "datasplit"}
	boxColumns  = []string{"bbox", "boundingbox", "box", "bndbox", "bboxes", "regionshapeattributes"}
)

// boxForms are the columns of a box in its four forms, by the names of each, the most frequent first.
var boxForms = []struct {
	names [4][]string
	form  form
}{
	{[4][]string{lefts, tops, {"xmax", "x2", "maxx", "right", "xbr", "xright", "bottomrightx", "xend", "endx"}, {"ymax", "y2", "maxy", "bottom", "ybr", "ybottom", "bottomrighty", "yend", "endy"}}, ofCorners},
	{[4][]string{{"x0"}, {"y0"}, {"x1"}, {"y1"}}, ofCorners},
	{[4][]string{append([]string{"x"}, lefts...), append([]string{"y"}, tops...), {"w", "width"}, {"h", "height"}}, ofSize},
	{[4][]string{{"cx", "xc", "xcenter", "centerx", "xcentre", "centrex"}, {"cy", "yc", "ycenter", "centery", "ycentre", "centrey"}, {"w", "width"}, {"h", "height"}}, ofCentre},
}

var (
	lefts = []string{"xmin", "x1", "minx", "left", "xtl", "xleft", "topleftx", "xstart", "startx"}
	tops  = []string{"ymin", "y1", "miny", "top", "ytl", "ytop", "toplefty", "ystart", "starty"}
)

// bare is a column's name in small letters, without blanks, points and the like.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// header finds the columns that a first line names. A line with a number or an empty corner is no header, and neither is one that has at most
// one of the names. With single, the class needs no column: all objects are of one.
func header(r []string, single bool) (c columns, is bool, err error) {
	if vertex(r) {
		return vertexColumns, false, nil
	}
	for i, v := range r {
		if _, err := strconv.ParseFloat(v, 64); err == nil || i >= 1 && i <= 4 && v == "" {
			return plainColumns, false, nil
		}
	}
	names := make([]string, len(r))
	for i, v := range r {
		names[i] = bare(v)
	}
	c = columns{header: len(r), part: slices.IndexFunc(names, func(n string) bool { return slices.Contains(partColumns, n) })}
	lacks, found := c.boxes(names)
	c.picture, c.class = pictureAndClass(names)
	if c.picture < 0 {
		lacks = append(lacks, "the image (path, filename, image_id)")
	} else {
		found++
	}
	if c.class >= 0 {
		found++
	} else if !single {
		lacks = append(lacks, "the class (class, label, category; where all objects are of one, give a list of classes with it alone)")
	}
	switch {
	case found <= 1:
		return plainColumns, false, nil
	case len(lacks) > 0:
		return c, false, fmt.Errorf("%q is a header that lacks columns for %s", r, strings.Join(lacks, ", "))
	}
	return c, true, nil
}

// vertex reports whether a line is one of Vertex AI or AutoML.
func vertex(r []string) bool {
	return len(r) == vertexWidth && slices.Contains([]string{"", "train", "training", "validation", "test", "unassigned"}, strings.ToLower(r[0])) && isPicture(r[1])
}

// boxes finds the columns of the box, of which it returns what is missing and how many of the nearest form are there.
func (c *columns) boxes(names []string) (lacks []string, found int) {
	for _, f := range boxForms {
		var at []int
		var without []string
		for _, n := range f.names {
			if i := coordinate(names, n); i >= 0 {
				at = append(at, i)
			} else {
				without = append(without, n[0])
			}
		}
		if len(without) == 0 {
			c.box, c.form = at, f.form
			return nil, len(at)
		}
		if lacks == nil || len(at) > found && without[0] != f.names[0][0] {
			lacks, found = without, len(at)
		}
	}
	if i := slices.IndexFunc(names, func(n string) bool { return slices.Contains(boxColumns, n) }); i >= 0 {
		c.box, c.form = []int{i}, ofSize
		return nil, 1
	}
	return lacks, found
}

// coordinate is the column with the first of some names, alone or behind a word for boxes; -1 for none.
func coordinate(names, want []string) int {
	for _, w := range want {
		for i, n := range names {
			if before, ok := strings.CutSuffix(n, w); ok && before != "" && slices.Contains(boxColumns, before) {
				return i
			}
		}
		if i := slices.Index(names, w); i >= 0 {
			return i
		}
	}
	return -1
}

// pictureAndClass are the columns of the image's name and of the class, -1 for none. Names go before numbers, and a column that is only called
// "name" is the class's, if there is no other for it.
func pictureAndClass(names []string) (picture, class int) {
	picture = best(names, func(n string) int {
		switch {
		case !pictureColumn.MatchString(n) || !picturePart.MatchString(n):
			return 0
		case anID.MatchString(n):
			return 1
		case anAddress.MatchString(n):
			return 2
		case strings.Contains(n, "path") || strings.Contains(n, "file"):
			return 4
		}
		return 3
	})
	class = best(names, func(n string) int {
		switch {
		case n == "regionattributes":
			return 5
		case !classColumn.MatchString(n) || !classPart.MatchString(n):
			return 0
		case n == "name" || n == "object":
			return 1
		case anID.MatchString(n):
			return 2
		case strings.HasSuffix(n, "name"):
			return 4
		}
		return 3
	})
	if i := slices.Index(names, "name"); picture < 0 && i >= 0 && class != i {
		picture = i
	}
	return picture, class
}

// best is the first of the names with the highest rank above 0, -1 for none.
func best(names []string, rank func(string) int) int {
	at, highest := -1, 0
	for i, n := range names {
		if v := rank(n); v > highest {
			at, highest = i, v
		}
	}
	return at
}

// nothing reports whether a cell of a CSV with a header stands for no value.
func nothing(cell string) bool {
	return slices.Contains([]string{"", "nan", "none", "null", "[]", "{}"}, strings.ToLower(strings.TrimSpace(cell)))
}

// numbers are the four numbers of a row's box, ok is false where it has none.
func (c columns) numbers(r []string) (v [4]float64, ok bool, err error) {
	empty := c.header > 0 || c.shares || r[c.class] == ""
	for _, k := range c.box {
		empty = empty && (r[k] == "" || c.header > 0 && nothing(r[k]))
	}
	if empty {
		return v, false, nil
	}
	cells := []string{}
	if len(c.box) == 1 {
		if cells, err = cellOfBox(r[c.box[0]]); err != nil {
			return v, false, err
		}
	} else {
		for _, k := range c.box {
			cells = append(cells, r[k])
		}
	}
	for i, cell := range cells {
		x, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
		if err != nil || !finite(x) {
			return v, false, fmt.Errorf("%q is no number of pixels", cell)
		}
		v[i] = x
	}
	return v, true, nil
}

// cellOfBox splits a cell with the four numbers of a box, in brackets or not, or a region of VIA.
func cellOfBox(cell string) ([]string, error) {
	if strings.HasPrefix(strings.TrimSpace(cell), "{") {
		return region(cell)
	}
	v := strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune("[](), ;\t", r) })
	if len(v) != 4 {
		return nil, fmt.Errorf("%.80q is no box: want the four numbers x, y, width, height", cell)
	}
	return v, nil
}

// fileOf is the name of a row's image, which may lack its ending, as ids of Kaggle's and OpenImages' images do.
func (b *builder) fileOf(name string) (string, bool) {
	if found, ok := b.found.Find(name); ok {
		return found, true
	}
	if name == "" || isPicture(name) {
		return name, false
	}
	slashes := strings.ReplaceAll(name, `\`, "/")
	found := b.listed.first(b.found.Path(slashes) + ".")
	if found == "" {
		return name, false
	}
	return path.Join(path.Dir(slashes), found), true
}
