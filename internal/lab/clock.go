package lab

import (
	"context"
	"fmt"
	"io"
	"time"

	"retinago/train"
)

// clock prints the progress of a sweep. It is a hook of the sweep's runs. If its output cannot be written, the sweep goes on.
type clock struct {
	w       io.Writer
	often   time.Duration // between two lines
	now     func() time.Time
	name    string // name of the cell in progress
	left    int    // number of cells after it
	start   time.Time
	printed time.Time
	from    int           // step at which this process began the cell
	made    int           // number of cells that this process finished
	spent   time.Duration // time for these cells
}

func (c *clock) begin(name string, left int) {
	c.name, c.left, c.start, c.from = name, left, c.now(), -1
	c.printed = c.start
	fmt.Fprintln(c.w, name)
}

// end prints the results of the cell.
func (c *clock) end(r Row) {
	took := c.now().Sub(c.start)
	c.made++
	c.spent += took
	fmt.Fprintf(c.w, "%s  %s in %s  all: eta %s\n", c.name, r.outcome(), took.Round(time.Second), c.rest(0).Round(time.Second))
}

// rest returns the expected time for the rest of this cell and for the cells after it.
func (c *clock) rest(current time.Duration) time.Duration {
	if c.made == 0 {
		return current
	}
	return current + time.Duration(c.left)*c.spent/time.Duration(c.made)
}

var _ train.Hook = (*clock)(nil)

func (c *clock) Reads(int) train.Reads { return train.ReadsNumbers }

func (c *clock) Begin(_ context.Context, l *train.Loop) error {
	c.from = l.Last().Number
	return nil
}

func (c *clock) Step(_ context.Context, l *train.Loop, s train.Step) error {
	now := c.now()
	if now.Sub(c.printed) < c.often || s.Number == c.from {
		return nil
	}
	c.printed = now
	per := now.Sub(c.start) / time.Duration(s.Number-c.from)
	steps := l.Schedule().Steps
	current := per * time.Duration(steps-s.Number)
	all := c.rest(current)
	if c.made == 0 { // no other cell is finished: assume that all take as long as this one
		all += time.Duration(c.left) * per * time.Duration(steps)
	}
	fmt.Fprintf(c.w, "%s  step %d/%d  loss %.4f  eta %s  all: eta %s\n", c.name, s.Number, steps, s.Losses.Total(),
		current.Round(time.Second), all.Round(time.Second))
	return nil
}

func (c *clock) End(context.Context, *train.Loop, error) error { return nil }
