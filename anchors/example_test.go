package anchors_test

import (
	"fmt"

	"retinago/anchors"
	"retinago/box"
)

// An image of 128 x 128 px with one object: which anchors learn it, and what.
func Example() {
	c := anchors.Default()
	grid := c.Grid(128, 128, [][2]int{{16, 16}, {8, 8}, {4, 4}, {2, 2}, {1, 1}})
	gt := []box.Box{{X1: 32, Y1: 32, X2: 96, Y2: 96}}

	m := anchors.Matcher{Foreground: .5, Background: .4, AllowLowQuality: true}
	labels, matched := m.Assign(grid, gt, []int32{7}, nil)
	positive, best := 0, -1
	for i, l := range labels {
		if l >= 0 {
			positive++
			if grid[i].IoU(gt[matched[i]]) == 1 {
				best = i
			}
		}
	}
	fmt.Println(len(grid), "anchors,", positive, "positive")
	fmt.Println(grid[best], anchors.NewCoder().Encode(grid[best], gt[0]))
	// Output:
	// 3069 anchors, 37 positive
	// {32 32 96 96} [0 0 0 0]
}
