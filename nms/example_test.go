package nms_test

import (
	"fmt"

	"retinago/box"
	"retinago/nms"
)

func ExampleClassWise() {
	boxes := []box.Box{{X2: 10, Y2: 10}, {X1: 1, X2: 11, Y2: 10}, {X1: 1, X2: 11, Y2: 10}}
	scores := []float32{.8, .9, .7}
	classes := []int32{0, 0, 1}
	fmt.Println(nms.ClassWise(boxes, scores, classes, .5, 100))
	// Output: [1 2]
}
