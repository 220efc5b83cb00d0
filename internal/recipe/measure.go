package recipe

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"retinago/box"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/engine/device"
	"retinago/train"
)

// measured is what a configuration takes on a machine.
type measured struct {
	step   time.Duration // of training
	memory train.Budget
}

// measure takes two steps of training on made-up images of the largest canvas and times the second. A batch that does not fit into the
// memory has no step.
func measure(ctx context.Context, c config.Config, h, w int, o device.Options, room func(train.Budget) bool) (out measured, err error) {
	e, err := device.Open(o)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	m, err := detector.New(c.Model, e, c.Train.Seed)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	out.memory, err = train.TrainingBudget(m, c, c.Train.Batch, h, w)
	if errors.Is(err, engine.ErrMemory) {
		return out, nil
	}
	if err != nil || !room(out.memory) {
		return out, err
	}
	st, err := train.NewStepper(m, c)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	n := c.Train.Batch
	r := rand.New(rand.NewPCG(3, 4))
	images := make([]float32, n*h*w*3)
	for i := range images {
		images[i] = float32(r.NormFloat64())
	}
	pictures := make([]detector.Objects, n)
	for i := range pictures {
		x, y := .2*float32(w), .2*float32(h)
		pictures[i] = detector.Objects{Boxes: []box.Box{{X1: x, Y1: y, X2: 2 * x, Y2: 2 * y}}, Classes: []int32{0}, Crowd: []bool{false}}
	}
	targets := st.Targets(h, w, pictures)
	for range 2 {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		begin := time.Now()
		if _, err := st.Take(n, h, w, images, targets, 0); err != nil {
			return out, err
		}
		out.step = time.Since(begin)
	}
	return out, nil
}
