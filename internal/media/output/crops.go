package output

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"

	"retinago/infer"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
)

// quality of the JPEGs that are written.
const quality = 92

// Crops writes the pixels of each box as a JPEG, into a folder for each class.
type Crops struct {
	to    *register.Folder
	stems names

	mu      sync.Mutex
	folders map[string]string // by class
}

// NewCrops returns a writer below a folder, which it creates. Folders are named in the order of classes, so that their names are the same
// in every run.
func NewCrops(to *register.Folder, classes []string) *Crops {
	c := &Crops{to: to, folders: map[string]string{}}
	c.stems.of = c.name
	for _, class := range classes {
		c.folder(class)
	}
	return c
}

// Name reserves the names of a result's crops. It is called for one result after another, in their order, before Write.
func (c *Crops) Name(r infer.Result) { c.stems.keep(r) }

// Write writes the crops of a result. It skips a crop that cannot be written and returns the first such error. It may be called from
// several goroutines.
func (c *Crops) Write(r infer.Result, pic *picture.Picture) error {
	stem := c.stems.take(r)
	var left error
	for i, d := range r.Found {
		x1, y1 := max(int(math.Floor(float64(d.Box.X1))), 0), max(int(math.Floor(float64(d.Box.Y1))), 0)
		x2, y2 := min(int(math.Ceil(float64(d.Box.X2))), pic.W), min(int(math.Ceil(float64(d.Box.Y2))), pic.H)
		if x2 <= x1 || y2 <= y1 {
			continue
		}
		path, err := c.to.Path(filepath.Join(c.folder(d.Category.Name), fmt.Sprintf("%s_%d.jpg", stem, i+1)), r.Name, 0)
		if err != nil {
			left = cmp.Or(left, fmt.Errorf("output: %w", err))
			continue
		}
		part := pic.Crop(x1, y1, x2-x1, y2-y1)
		left = cmp.Or(left, part.WriteJPEG(path, quality))
		part.Release()
	}
	return left
}

// name returns the beginning of the names of a result's crops: the result's name, with its extension unless that is a JPEG's.
func (c *Crops) name(r infer.Result) string {
	if r.Video != nil {
		return frame(r, c.to.Frames(stem(r), r.Name, ".jpg"))
	}
	if e := strings.ToLower(filepath.Ext(r.Name)); e != ".jpg" && e != ".jpeg" {
		return c.to.Name(r.Name, r.Name, ".jpg")
	}
	return c.to.Name(stem(r), r.Name, ".jpg")
}

// classes separates names of classes from those of sources.
const classes = "classes/"

// folder is the folder of a class, which no other class has.
func (c *Crops) folder(class string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, ok := c.folders[class]
	if !ok {
		name = strings.TrimPrefix(c.to.Name(classes+folder(class), classes+class, "/"), classes)
		c.folders[class] = name
	}
	return name
}

// folder is a class's name as that of a folder.
func folder(class string) string {
	s := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' {
			return '_'
		}
		return r
	}, class)
	if strings.Trim(s, ".") == "" {
		return "_" + s
	}
	return s
}
