package train_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"retinago/config"
	"retinago/train"
)

// The paper's schedule on an eighth of its batch: an eighth of the learning rate, eight times the steps.
func ExampleNewSchedule() {
	c := config.Default().Train
	c.Batch = 2
	s := train.NewSchedule(c, 58633) // batches in one pass over COCO's images
	fmt.Println(s.Steps, s.Milestones)
	for _, step := range []int{0, 8000, 480000, 640000} {
		fmt.Printf("%.3g\n", s.At(step))
	}
	// Output:
	// 720000 [480000 640000]
	// 1.41e-06
	// 0.00125
	// 0.000125
	// 1.25e-05
}

// stopAtLoss ends a run once its loss is low enough.
type stopAtLoss struct {
	loss float64
	stop context.CancelFunc
}

func (h *stopAtLoss) Reads(int) train.Reads                    { return train.ReadsNumbers }
func (h *stopAtLoss) Begin(context.Context, *train.Loop) error { return nil }
func (h *stopAtLoss) Step(_ context.Context, _ *train.Loop, s train.Step) error {
	if s.Losses.Total() < h.loss {
		h.stop() // the run is saved, and can be resumed
	}
	return nil
}
func (h *stopAtLoss) End(context.Context, *train.Loop, error) error { return nil }

// A hook stops a run that has learned enough.
func ExampleHook() {
	c, err := config.Load("my.yaml", nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	err = train.Run(ctx, c, train.Options{Out: "runs/my", Log: os.Stdout, Hooks: []train.Hook{&stopAtLoss{loss: .2, stop: stop}}})
	if err != nil {
		log.Fatal(err)
	}
}
