package lab_test

import (
	"fmt"
	"strings"

	"retinago/internal/lab"
)

// The losses of a sweep by their names.
func ExampleSelect() {
	variants, err := lab.Select(lab.Losses(), "ce, fl-g[12]")
	for _, v := range variants {
		fmt.Println(v.Name, strings.Join(v.Sets, " "))
	}
	fmt.Println(err)
	// Output:
	// ce loss.kind=bce model.prior=.01
	// fl-g1 loss.kind=focal loss.alpha=.25 loss.gamma=1 model.prior=.01
	// fl-g2 loss.kind=focal loss.alpha=.25 loss.gamma=2 model.prior=.01
	// <nil>
}
