package lab

import (
	"context"
	"fmt"
	"slices"
	"time"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// timedPictures is the number of images that are timed, after warmUp others.
const (
	timedPictures = 20
	warmUp        = 2
)

// pictureMS returns the median time of an image in ms: scaling, network, boxes and NMS. It skips images that cannot be read.
func pictureMS(ctx context.Context, p *infer.Predictor, d *data.Dataset) (float64, error) {
	var all []float64
	var broken error
	for i := 0; len(all) < timedPictures+warmUp && i < d.Len()+timedPictures+warmUp; i++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		pic, err := picture.Decode(d.File(i % d.Len()))
		if err != nil {
			broken = err
			continue
		}
		begin := time.Now()
		_, err = p.Predict(ctx, pic)
		all = append(all, time.Since(begin).Seconds()*1e3)
		pic.Release()
		if err != nil {
			return 0, err
		}
	}
	if len(all) <= warmUp {
		return 0, fmt.Errorf("lab: %s: no image could be read: %w", d.Path(), broken)
	}
	all = all[warmUp:]
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, nil
}
