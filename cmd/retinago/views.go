package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/infer"
)

// viewFlags choose the views of an image in which objects are looked for.
func viewFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "flip", Usage: "detect on the mirrored image too"},
		&cli.StringFlag{Name: "scales", Usage: "detect at several sizes: `LIST` of multiples of the canvas, as 0.75,1,1.5"},
		&cli.IntFlag{Name: "tile", Usage: "detect on the whole image and on square tiles of so many `PIXELS`"},
		&cli.Float64Flag{Name: "overlap", Usage: "share of a tile that the next one repeats: objects up to that size are found whole", Value: .2},
		&cli.StringFlag{Name: "merge", Usage: "how detections of -flip, -scales and -tile are merged: " + strings.Join(infer.Merges(), ", "), DefaultText: infer.Merges()[0]},
	}
}

// views returns the choice of the flags of viewFlags.
func views(c *cli.Context) (infer.Choice, error) {
	v := infer.Choice{Flip: c.Bool("flip"), Merge: c.String("merge"), Tile: c.Int("tile"), Overlap: c.Float64("overlap")}
	if c.IsSet("scales") {
		var err error
		if v.Scales, err = numbers(c.String("scales")); err != nil {
			return v, usage("%s: -scales: %v", c.Command.FullName(), err)
		}
	}
	if err := v.Check(); err != nil {
		return v, usage("%s: %v", c.Command.FullName(), err)
	}
	return v, nil
}
