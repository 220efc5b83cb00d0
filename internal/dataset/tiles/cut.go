// Package tiles cuts datasets into overlapping tiles of their own resolution, so that small objects on large images are learned at the
// size at which detection in tiles looks for them.
package tiles

import (
	"fmt"
	"math/rand/v2"

	"retinago/coco"
	"retinago/internal/tile"
)

// Options say how a dataset is cut.
type Options struct {
	Grid  tile.Grid
	Keep  float64 // least share of an object's box in a tile for which the object is learned there, in [0, 1]
	Empty float64 // share of the tiles without objects that stays, in [0, 1]
	Seed  uint64  // of the draw of these tiles
}

// Check returns an error for values out of their ranges.
func (o Options) Check() error {
	switch {
	case !(o.Keep >= 0 && o.Keep <= 1):
		return fmt.Errorf("objects that keep a share of %g: give a share between 0 and 1", o.Keep)
	case !(o.Empty >= 0 && o.Empty <= 1):
		return fmt.Errorf("a share of %g of the tiles without objects: give a share between 0 and 1", o.Empty)
	}
	return o.Grid.Check()
}

// Tile is a part of an image, with its objects.
type Tile struct {
	Image int    // index of the image in the dataset
	Name  string // of the tile's file, below the folder of images; set by Pictures.Name
	Whole bool   // the part is the whole image
	tile.Part
	Objects []coco.Annotation // boxes in pixels of the tile; ids and image ids are set by Dataset
}

// learned reports whether the tile has an object that is no crowd.
func (t Tile) learned() bool {
	for _, a := range t.Objects {
		if !a.IsCrowd {
			return true
		}
	}
	return false
}

// Cutting is a dataset in tiles.
type Cutting struct {
	Tiles []Tile // in the order of the images, row by row
	Left  int    // tiles without objects that were left out
	Lost  int    // objects that no tile has as an object
}

// Cut cuts every image along the grid. In a tile, a box is cut at its edges. An object of which less than Keep lies in the tile becomes a
// crowd region there, which is neither learned as an object nor as background; the tile beside it usually has the object whole. A part with a
// side under 1 pixel is left out. Crowd regions stay crowd regions. Masks are left out.
func Cut(d *coco.Dataset, o Options) (*Cutting, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	x, err := d.Index()
	if err != nil {
		return nil, err
	}
	c := &Cutting{}
	learned := make([]bool, len(d.Annotations))
	var empty []int // indices of tiles without objects
	for i, im := range d.Images {
		whole := o.Grid.Fits(im.Width, im.Height)
		for _, part := range o.Grid.Parts(im.Width, im.Height) {
			t := Tile{Image: i, Whole: whole, Part: part}
			for _, k := range x.Annotations[i] {
				if a, ok := o.cut(d.Annotations[k], im, part); ok {
					t.Objects = append(t.Objects, a)
					learned[k] = learned[k] || !a.IsCrowd
				}
			}
			if !t.learned() {
				empty = append(empty, len(c.Tiles))
			}
			c.Tiles = append(c.Tiles, t)
		}
	}
	for k, a := range d.Annotations {
		if !a.IsCrowd && !learned[k] {
			c.Lost++
		}
	}
	c.thin(empty, o)
	return c, nil
}

// thin leaves out some of the tiles without objects, whose indices are given.
func (c *Cutting) thin(empty []int, o Options) {
	stay := int(o.Empty*float64(len(empty)) + .5)
	c.Left = len(empty) - stay
	out := map[int]bool{}
	for _, k := range rand.New(rand.NewPCG(o.Seed, 0)).Perm(len(empty))[stay:] {
		out[empty[k]] = true
	}
	var tiles []Tile
	for i, t := range c.Tiles {
		if !out[i] {
			tiles = append(tiles, t)
		}
	}
	c.Tiles = tiles
}

// cut returns the part of an object that lies in a part of its image; ok is false where there is none.
func (o Options) cut(a coco.Annotation, im coco.Image, part tile.Part) (cut coco.Annotation, ok bool) {
	x1, y1, x2, y2 := clip(a.BBox, 0, 0, im.Width, im.Height)
	area := (x2 - x1) * (y2 - y1)
	l, t, r, b := clip(a.BBox, part.X, part.Y, part.X+part.W, part.Y+part.H)
	if !(area > 0 && r > l && b > t) {
		return cut, false
	}
	cut = coco.Annotation{CategoryID: a.CategoryID, IsCrowd: a.IsCrowd, Ignore: a.Ignore, Area: a.Area,
		BBox: [4]float64{l - float64(part.X), t - float64(part.Y), r - l, b - t}}
	if l == x1 && t == y1 && r == x2 && b == y2 {
		return cut, true
	}
	share := (r - l) * (b - t) / area
	cut.Area *= share
	cut.IsCrowd = a.IsCrowd || share < o.Keep
	return cut, r-l >= 1 && b-t >= 1
}

// clip returns the corners of a box [x, y, w, h] within a rectangle.
func clip(b [4]float64, x1, y1, x2, y2 int) (l, t, r, bottom float64) {
	c := coco.XYXY(b)
	return max(c[0], float64(x1)), max(c[1], float64(y1)), min(c[2], float64(x2)), min(c[3], float64(y2))
}

// Dataset returns the tiles as a dataset with the categories of d. Images and objects are numbered from 1. Tiles of the images in broken are
// left out.
func (c *Cutting) Dataset(d *coco.Dataset, broken map[int]error) *coco.Dataset {
	out := &coco.Dataset{Categories: d.Categories}
	for _, t := range c.Tiles {
		if broken[t.Image] != nil {
			continue
		}
		id := int64(len(out.Images) + 1)
		out.Images = append(out.Images, coco.Image{ID: id, FileName: t.Name, Width: t.W, Height: t.H})
		for _, a := range t.Objects {
			a.ID, a.ImageID = int64(len(out.Annotations)+1), id
			out.Annotations = append(out.Annotations, a)
		}
	}
	return out
}
