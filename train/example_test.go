package train_test

import (
	"fmt"

	"retinago/config"
	"retinago/train"
)

// The paper's schedule on an eighth of its batch: an eighth of the learning rate, eight times the steps.
func ExampleNewSchedule() {
	c := config.Default().Train
	c.Batch = 2
	s := train.NewSchedule(c, 58633) // batches in one pass over COCO's pictures
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
