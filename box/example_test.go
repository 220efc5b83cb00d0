package box_test

import (
	"fmt"

	"retinago/box"
)

func ExampleBox_IoU() {
	a := box.FromXYWH(0, 0, 10, 10)
	b := box.FromXYWH(5, 0, 10, 10)
	fmt.Printf("%.3f\n", a.IoU(b))
	// Output: 0.333
}
