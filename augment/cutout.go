package augment

import (
	"retinago/box"
	"retinago/internal/kinds"
)

var cutoutKinds = []Kind{
	{Kind: kinds.Kind{Name: "cutout", Text: "covers rectangles with the mean colour (DeVries and Taylor 2017)",
		Params: []kinds.Param{probability(.5), {Key: "count", Default: 3, Min: 1, Max: 100, Whole: true, Text: "most rectangles"},
			{Key: "size", Default: .2, Max: 1, Text: "largest share of the scene's sides"}}},
		Combines: true,
		apply: func(d *draw) {
			for range 1 + d.IntN(int(d.get("count"))) {
				w, h := whole(d.between(0, d.get("size"))*d.w), whole(d.between(0, d.get("size"))*d.h)
				x, y := d.offset(d.w-w), d.offset(d.h-h)
				d.fill = append(d.fill, box.Box{X1: float32(x), Y1: float32(y), X2: float32(x + w), Y2: float32(y + h)})
			}
		}},
}
