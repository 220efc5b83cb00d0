package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"retinago/config"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
	shown "retinago/internal/text"
)

// drawBatches draws the first batches of a configuration's training, one file each.
func drawBatches(c *cli.Context) error {
	if c.IsSet("data") {
		return usage("data draw: -data is not for -augment, which draws what a configuration trains on: give -config FILE, or -config RUN for a run's own; `retinago config new -data PATH` makes one")
	}
	for _, flag := range c.LocalFlagNames() {
		if !slices.Contains([]string{"augment", "config", "set", "out", "overwrite"}, flag) {
			return usage("data draw: -%s is not for -augment, which draws what -config trains on; use -set, as in -set train.seed=2", flag)
		}
	}
	if c.Int("augment") < 1 {
		return usage("data draw: -augment %d: give at least 1 batch", c.Int("augment"))
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	g, release, err := outputs(c, []string{"out"}, nil)
	if err != nil {
		return err
	}
	defer release()
	d, err := data.OpenTrain(cfg.Data)
	if err != nil {
		return err
	}
	l, err := data.NewLoader(d, cfg.Data, data.LoaderOptions{Batch: cfg.Train.Batch, Seed: cfg.Train.Seed})
	if err != nil {
		return err
	}
	defer l.Close()
	to := g.Folder("-out", c.String("out"))
	s := sheets{config: cfg}
	for _, k := range d.Categories() {
		s.names = append(s.names, shown.Printable(k.Name))
	}
	for n := range c.Int("augment") {
		name := fmt.Sprintf("batch%03d.png", n+1)
		path, err := to.Path(name, name, 0)
		if err != nil {
			return err
		}
		b, _, err := l.Next(c.Context)
		if err != nil {
			return err
		}
		sheet, err := s.draw(b)
		b.Release()
		if err != nil {
			return err
		}
		if err := sheet.WritePNG(path); err != nil {
			return err
		}
	}
	for file, err := range l.Broken() {
		fmt.Fprintf(c.App.ErrWriter, "replaced: %s: %v\n", file, err)
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s: %s of %s, %s, %d of which no anchor learns\n",
		c.String("out"), shown.Count(c.Int("augment"), "batch"), shown.Count(cfg.Train.Batch, "image"), shown.Count(s.objects, "object"), s.lost)
	return err
}

// sheets draws batches and counts their objects, without crowds.
type sheets struct {
	config        config.Config
	names         []string // of the classes
	objects, lost int      // all, and those that no anchor learns
}

// draw returns the canvases of a batch side by side, with their boxes.
func (s *sheets) draw(b *data.Batch) (*picture.Picture, error) {
	wide := min(b.N, columns)
	rows := (b.N + columns - 1) / columns
	sheet := picture.New(wide*(b.W+gap)-gap, rows*(b.H+gap)-gap)
	for i := range b.N {
		p := s.canvas(b, i)
		if err := picture.Draw(p, s.marks(b, i)); err != nil {
			return nil, err
		}
		sheet.Paste(p, i%columns*(b.W+gap), i/columns*(b.H+gap))
	}
	return sheet, nil
}

// canvas returns the colours that the network's input i stands for.
func (s *sheets) canvas(b *data.Batch, i int) *picture.Picture {
	p := picture.New(b.W, b.H)
	mean, std := s.config.Data.Mean, s.config.Data.Std
	for k := range p.Pix {
		v := b.Images[i*len(p.Pix)+k]*std[k%3] + mean[k%3]
		p.Pix[k] = uint8(min(max(255*v+.5, 0), 255))
	}
	return p
}

// marks returns the boxes of input i. A note is on those that no anchor learns.
func (s *sheets) marks(b *data.Batch, i int) []picture.Mark {
	learned := s.learned(b, i)
	var marks []picture.Mark
	for k, v := range b.Boxes[i] {
		label := s.names[b.Classes[i][k]]
		switch {
		case b.Crowd[i][k]:
			label += " (crowd)"
		case !learned[int32(k)]:
			label += ": no anchor"
			s.lost++
		}
		if !b.Crowd[i][k] {
			s.objects++
		}
		marks = append(marks, picture.Mark{Box: v, Label: label, Color: int(b.Classes[i][k])})
	}
	return marks
}

// learned returns the objects of input i that anchors learn.
func (s *sheets) learned(b *data.Batch, i int) map[int32]bool {
	a := s.config.Model.Anchors
	cells := a.Cells(b.H, b.W)
	_, matched := s.config.Match.Assigner(a.PerCell()).AssignLevels(a.Grid(b.H, b.W, cells), a.Starts(cells), b.Boxes[i], b.Classes[i], b.Crowd[i])
	out := map[int32]bool{}
	for _, k := range matched {
		out[k] = true
	}
	return out
}
