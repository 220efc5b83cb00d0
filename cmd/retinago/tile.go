package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"retinago/internal/dataset/convert"
	"retinago/internal/dataset/data"
	"retinago/internal/dataset/tiles"
	"retinago/internal/file"
	"retinago/internal/media/register"
	shown "retinago/internal/text"
	"retinago/internal/tile"
)

func tileCommand() *cli.Command {
	return &cli.Command{
		Name:  "tile",
		Usage: "cut the images of a dataset into overlapping tiles, for small objects",
		Description: "Writes DIR/NAME.json and the tiles in DIR/NAME: train and val where -data has both, else -name. Tiles are those of\n" +
			"detect -tile. Tiles of JPEGs are JPEGs, all others PNGs; an image no larger than a tile is copied. Where less than -keep of\n" +
			"an object is in a tile it is a crowd region there, which counts neither as an object nor as background.\n\n" +
			"   retinago data tile -data train.json -images train -out tiles -size 1024\n" +
			"   retinago data tile -data aerial/data.yaml -split train -out tiles -size 800 -overlap .25 -empty .1",
		Flags: append(sourceFlags(), dataOrRunFlag(true), classesFlag(), renameFlag(),
			&cli.StringFlag{Name: "out", Usage: "`DIR` for the tiles", Required: true},
			&cli.IntFlag{Name: "size", Usage: "side of a tile in `PIXELS`", Required: true},
			&cli.Float64Flag{Name: "overlap", Usage: "least share of a tile that the next one repeats", Value: .2},
			&cli.Float64Flag{Name: "keep", Usage: "least share of an object's box in a tile for which it is learned there", Value: .25},
			&cli.Float64Flag{Name: "empty", Usage: "share of the tiles without objects that stays, drawn at random", Value: 1},
			&cli.Uint64Flag{Name: "seed", Usage: "of the random numbers"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the part that is written, where -data has one", Value: "train"},
			ignoreFlag(), overwriteFlag(),
		),
		Action: dataTile,
	}
}

func dataTile(c *cli.Context) error {
	o := tiles.Options{Grid: tile.Grid{Side: c.Int("size"), Overlap: c.Float64("overlap")}, Keep: c.Float64("keep"), Empty: c.Float64("empty"), Seed: c.Uint64("seed")}
	if err := o.Check(); err != nil {
		return usage("data tile: %v", err)
	}
	if err := file.WellNamed(c.String("name")); err != nil || filepath.Base(c.String("name")) != c.String("name") {
		return usage("data tile: -name %q: give the name of a file, without its ending", c.String("name"))
	}
	g, release, err := outputs(c, []string{"out"}, nil)
	if err != nil {
		return err
	}
	defer release()
	sets, err := datasetParts(c)
	if err != nil {
		return err
	}
	if len(sets) > 1 && c.IsSet("name") {
		return usage("data tile: -name %s: %s has a part to train on and one to measure on, which are called train and val; give the file of one, or -split", c.String("name"), c.String("data"))
	}
	parts := make([]*tiled, len(sets))
	to := g.Folder("-out", c.String("out"))
	for i, s := range sets {
		name := c.String("name")
		if len(sets) > 1 {
			name = []string{"train", "val"}[i]
		}
		if parts[i], err = newTiled(c, g, to, s, name, o); err != nil {
			return err
		}
	}
	broken := 0
	for _, p := range parts {
		n, err := p.write(c)
		if err != nil {
			return err
		}
		broken += n
	}
	if broken > 0 {
		return partial("%s could not be cut; their tiles are left out", shown.Count(broken, "image"))
	}
	return nil
}

// tiled is a part of a dataset that is cut into tiles.
type tiled struct {
	name     string
	data     *data.Dataset
	cut      *tiles.Cutting
	pictures tiles.Pictures
}

// newTiled cuts a dataset, and checks that its tiles replace no files of others.
func newTiled(c *cli.Context, g *register.Register, to *register.Folder, s convert.Source, name string, o tiles.Options) (*tiled, error) {
	d, err := data.OpenFor(c.Context, s, data.Run{Log: c.App.ErrWriter, Ignore: c.Bool("ignore-findings")})
	if err != nil {
		return nil, err
	}
	t := &tiled{name: name, data: d, pictures: tiles.Pictures{To: to, Part: name, File: d.File}}
	for i := range d.Len() {
		g.Input("an image of the dataset", d.File(i))
	}
	if t.cut, err = tiles.Cut(d.COCO(), o); err != nil {
		return nil, err
	}
	if len(t.cut.Tiles) == 0 {
		return nil, fmt.Errorf("data tile: none of the %d tiles of %s has an object, and -empty %g leaves all of them out", t.cut.Left, d.Path(), o.Empty)
	}
	if err := to.Check(name+".json", 0); err != nil {
		return nil, err
	}
	return t, t.pictures.Name(t.cut.Tiles)
}

// write writes the tiles, and then the JSON. It returns the number of images that could not be cut, which it names.
func (t *tiled) write(c *cli.Context) (broken int, err error) {
	t.pictures.Report = meter(c.App.ErrWriter)
	failed, err := t.pictures.Write(c.Context, t.cut.Tiles, func(i int) (w, h int) {
		im := t.data.Image(i)
		return im.Width, im.Height
	})
	if err != nil {
		return 0, err
	}
	for _, i := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(c.App.ErrWriter, "skipped: %v\n", failed[i])
	}
	out := t.cut.Dataset(t.data.COCO(), failed)
	if len(out.Images) == 0 {
		return 0, fmt.Errorf("data tile: none of the images of %s could be cut", t.data.Path())
	}
	path, err := t.pictures.To.Path(t.name+".json", t.name+".json", 0)
	if err != nil {
		return 0, err
	}
	if err := out.Save(path); err != nil {
		return 0, err
	}
	crowds := 0
	for _, a := range out.Annotations {
		if a.IsCrowd {
			crowds++
		}
	}
	fmt.Fprintf(c.App.Writer, "%s: %s of %s, %s, %s; left out without objects: %s\n", path, shown.Count(len(out.Images), "tile"), shown.Count(t.data.Len()-len(failed), "image"),
		shown.Count(len(out.Annotations)-crowds, "object"), shown.Count(crowds, "crowd region"), shown.Count(t.cut.Left, "tile"))
	if t.cut.Lost > 0 {
		fmt.Fprintf(c.App.ErrWriter, "warning: %d objects are learned in no tile, since less than -keep of them lies in any: give a larger -size or -overlap\n", t.cut.Lost)
	}
	return len(failed), nil
}
