package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"retinago/config"
	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/train"
)

// Files in a cell's folder besides the run's own.
const (
	askedFile = "cell.yaml" // the configuration that was asked for
	cellFile  = "cell.json" // the cell's results; a folder with this file is a finished cell
	trainLog  = "train.log"
)

// Cell is a finished cell.
type Cell struct {
	Row  Row     `json:"row"`
	Loss []Point `json:"loss"` // class loss by step, means over 1/40 of the run
	AP   []Point `json:"ap"`   // by step, of each evaluation
	View *View   `json:"view,omitempty"`
	// Device is the device of the run; empty is the CPU.
	Device string `json:"device,omitempty"`
}

// Point is a point of a curve.
type Point struct{ X, Y float64 }

// curvePoints is the number of means in a curve of losses.
const curvePoints = 40

// finished reads a finished cell. It returns nil if the cell is not finished, and an error if the cell has other settings or another
// device. The caller owns dir.
func finished(dir string, c config.Config, device string) (*Cell, error) {
	if err := file.RemoveUnfinished(dir, askedFile, cellFile); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	asked, err := os.ReadFile(filepath.Join(dir, askedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	// Parse gives keys of later versions their defaults.
	if made, err := config.Parse(askedFile, asked); err != nil || made.String() != c.String() {
		return nil, fmt.Errorf("lab: %s holds a cell with other settings, see its %s: give another -out, or remove that folder", dir, askedFile)
	}
	text, err := os.ReadFile(filepath.Join(dir, cellFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	var out Cell
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("lab: %s: %w; remove that file, and the cell is read from its run again", filepath.Join(dir, cellFile), err)
	}
	if deviceName(out.Device) != deviceName(device) {
		return nil, fmt.Errorf("lab: %s holds a cell made on %s, and -device is %s: give another -out, or remove that folder", dir, deviceName(out.Device), deviceName(device))
	}
	return &out, removeRun(dir)
}

// deviceName returns a device's name; an empty one is the CPU's.
func deviceName(d string) string { return cmp.Or(d, "cpu") }

// run trains and evaluates one cell in dir. An interrupted cell continues from its checkpoint. When ctx is cancelled, run saves a
// checkpoint and returns ctx's error. A run that diverges is a result. with has the Row's variant and seed. The caller owns dir.
func (s *Sweep) run(ctx context.Context, dir string, c config.Config, with Row, inspect bool, hook train.Hook) (*Cell, error) {
	if err := file.WriteBytes(filepath.Join(dir, askedFile), []byte(c.String())); err != nil {
		return nil, err
	}
	log, err := file.Append(filepath.Join(dir, trainLog))
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	defer log.Close()
	_, missing := os.Stat(filepath.Join(dir, train.StateFile))
	err = train.Run(ctx, c, train.Options{Out: dir, Device: s.Device, Resume: missing == nil, Locked: true, Log: log, Hooks: []train.Hook{hook}})
	out := &Cell{Row: with}
	if s.Device != "cpu" {
		out.Device = s.Device
	}
	var diverged *train.Diverged
	if errors.As(err, &diverged) {
		fmt.Fprintln(log, err)
		out.Row.Diverged, err = &diverged.Step, nil
	}
	if errors.Is(err, train.ErrChanged) {
		err = fmt.Errorf("%w; in a sweep: remove the folder, and the cell is trained anew", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := out.journal(filepath.Join(dir, train.LogFile)); err != nil {
		return nil, err
	}
	if diverged == nil {
		if err := s.after(ctx, out, filepath.Join(dir, train.LastModel), inspect, s.Timed); err != nil {
			return nil, err
		}
	}
	return out, out.save(dir)
}

// after inspects the trained model and measures its speed.
func (s *Sweep) after(ctx context.Context, out *Cell, model string, inspect, timed bool) error {
	if !inspect && !timed {
		return nil
	}
	p, err := infer.Load(model, infer.Options{Device: s.Device, Threads: s.Base.Train.Threads, Score: &s.Base.Infer.Score})
	if err != nil {
		return err
	}
	defer p.Close()
	c := p.Info().Config
	d, err := data.Open(data.Source(c.Data, c.Data.Val))
	if err != nil {
		return err
	}
	if inspect {
		if out.View, err = Inspect(ctx, p.Model(), c, d, s.Pictures); err != nil {
			return err
		}
	}
	if timed {
		out.Row.PictureMS, err = pictureMS(ctx, p, d)
	}
	return err
}

// journal reads the run's log: curves, times, and the numbers of the last evaluation.
func (c *Cell) journal(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer f.Close()
	var steps []Point
	d := json.NewDecoder(f)
	for d.More() {
		var l struct {
			Step      int
			ClassLoss float64 `json:"class_loss"`
			StepS     float64 `json:"step_s"`
			EvalS     float64 `json:"eval_s"`
			Stats     []float64
		}
		if err := d.Decode(&l); err != nil {
			return fmt.Errorf("lab: %s: %w", path, err)
		}
		c.Row.Seconds += l.StepS + l.EvalS
		c.Row.Steps = max(c.Row.Steps, l.Step)
		if l.Stats == nil {
			steps = append(steps, Point{float64(l.Step), l.ClassLoss})
			continue
		}
		if len(l.Stats) != 12 {
			return fmt.Errorf("lab: %s: an evaluation has %d numbers, want COCO's twelve", path, len(l.Stats))
		}
		if n := len(c.AP); n > 0 && c.AP[n-1].X == float64(l.Step) { // an interrupted evaluation is in the log twice
			c.AP = c.AP[:n-1]
		}
		c.AP = append(c.AP, Point{float64(l.Step), l.Stats[0]})
		c.Row.Numbers = numbersOf([12]float64(l.Stats))
	}
	c.Loss = means(steps, curvePoints)
	switch {
	case c.Row.Diverged != nil:
		c.Row.Numbers = nil
	case c.Row.Numbers == nil || c.AP[len(c.AP)-1].X != float64(c.Row.Steps):
		return fmt.Errorf("lab: %s: the last step has no evaluation; set data.val in the configuration", path)
	}
	return nil
}

// means returns the means of n equal parts of a curve.
func means(all []Point, n int) []Point {
	var out []Point
	n = min(n, len(all))
	for i := range n {
		from, to := i*len(all)/n, (i+1)*len(all)/n
		var p Point
		for _, q := range all[from:to] {
			p.X, p.Y = p.X+q.X, p.Y+q.Y
		}
		k := float64(to - from)
		out = append(out, Point{p.X / k, p.Y / k})
	}
	return out
}

// save writes the cell and removes the files that only an unfinished cell needs.
func (c *Cell) save(dir string) error {
	if err := file.WriteJSON(filepath.Join(dir, cellFile), " ", c); err != nil {
		return err
	}
	return removeRun(dir)
}

// removeRun removes the files of a run that a finished cell does not need.
func removeRun(dir string) error {
	for _, name := range []string{train.StateFile, train.BestModel} {
		if err := file.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("lab: %w", err)
		}
	}
	return nil
}
