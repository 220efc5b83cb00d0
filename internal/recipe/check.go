package recipe

import (
	"context"
	"math"

	"retinago/config"
	"retinago/train"
)

// Check returns the error of overrides ("train.lr=.005") that no recipe for a request allows: unknown keys, values outside their ranges and
// settings that contradict each other. It reads no dataset. Overrides that pass may still contradict what Make chooses.
func Check(ctx context.Context, r Request, sets []string) error {
	m := &maker{Request: r, out: &Recipe{Config: config.Default()}}
	m.look.pictures = math.MaxInt // no batch is too large for the dataset
	if err := m.find(); err != nil {
		return err
	}
	if err := m.base(ctx); err != nil {
		return err
	}
	c := &m.out.Config
	c.Data.Train, c.Data.Val = set(r.Train), set(r.Val)
	// Make chooses these: values that an override may be combined with.
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{16}, config.MaxSide, 32
	if r.Size > 0 {
		c.Data.ShortSides = []int{r.Size}
	}
	if err := c.Set(sets); err != nil {
		return err
	}
	return train.Validate(*c)
}
