package track_test

import (
	"fmt"

	"retinago/box"
	"retinago/track"
)

// A car drives to the right across a line, and is counted once.
func ExampleFollower() {
	gate, err := track.LineAt("gate", []float64{100, 200, 100, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	f := track.NewFollower(track.Options{}, gate)
	var total track.Total
	for frame := range 10 {
		x := float32(20 * frame)
		objects := []track.Object{{Box: box.Box{X1: x, Y1: 80, X2: x + 40, Y2: 110}, Score: .9}}
		total = f.Next(0, "street.mp4", "street.mp4", objects, func(int) string { return "car" })
		if frame == 0 {
			fmt.Println("track", objects[0].Track)
		}
	}
	for _, line := range total.Lines() {
		fmt.Println(line)
	}
	// Output:
	// track 1
	// gate: car left 0, car right 1
}
