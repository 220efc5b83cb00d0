package data

import (
	"fmt"

	"retinago/internal/dataset/convert"
)

// HoldOut divides a dataset into a part to train on and a part, with the given share of the pictures, to measure on. Classes are divided by
// the share each, as convert.Split does; equal seeds make equal parts. Both parts have all categories.
func (d *Dataset) HoldOut(share float64, seed uint64) (train, val *Dataset, err error) {
	part, rest, err := convert.Split(d.coco, share, seed)
	if err != nil {
		return nil, nil, err
	}
	part.Path = fmt.Sprintf("%s (%g %% held out)", d.coco.Path, 100*share)
	rest.Path = fmt.Sprintf("%s (without %g %% held out)", d.coco.Path, 100*share)
	if train, err = use(rest, d.images); err != nil {
		return nil, nil, err
	}
	val, err = use(part, d.images)
	return train, val, err
}
