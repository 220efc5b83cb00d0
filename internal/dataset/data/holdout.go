package data

import (
	"fmt"

	"retinago/config"
	"retinago/internal/dataset/convert"
)

// HoldOut divides a dataset into a part to train on and a part, with the given share of the images, to measure on. Classes are divided by
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

// OpenTrain opens the images that a configuration trains on, without those that data.val_share holds out.
func OpenTrain(c config.Data) (*Dataset, error) {
	if c.Train.Source == "" {
		return nil, fmt.Errorf("data.train.source must say where the dataset is; set it in the config or with -set")
	}
	d, err := Open(Source(c, c.Train))
	if err == nil && c.Val.Source == "" && c.ValShare > 0 {
		d, _, err = d.HoldOut(c.ValShare, c.ValSeed)
	}
	return d, err
}
