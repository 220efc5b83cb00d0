package interop_test

import (
	"fmt"

	"retinago/internal/model/interop"
)

func ExampleCOCO() {
	c := interop.COCO()
	fmt.Println(len(c), c[0].Name, c[79].ID, c[79].Name)
	// Output: 80 person 90 toothbrush
}
