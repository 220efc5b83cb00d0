package quant_test

import (
	"fmt"

	"retinago/internal/model/quant"
)

func Example() {
	var h quant.Histogram
	if err := h.Add([]float32{-1, 0, .5, 4.1}); err != nil {
		fmt.Println(err)
		return
	}
	r := quant.Method{Kind: "minmax"}.Range(&h)
	fmt.Printf("activations %.1f to %.1f: %.2f * (q - %d)\n", r.Least, r.Most, r.Affine().Scale, r.Affine().Zero)
	scales := quant.Scales([]float32{.1, -1.27}, 1)
	fmt.Println("weights", quant.Round([]float32{.1, -1.27}, scales))
	// Output:
	// activations -1.0 to 4.1: 0.02 * (q - 50)
	// weights [10 -127]
}
