package lab

import (
	"context"
	"fmt"
	"slices"
	"time"

	"retinago/data"
	"retinago/infer"
	"retinago/picture"
)

// timedPictures is how many pictures are timed, after two to warm up.
const timedPictures = 20

// pictureMS is the median time of a picture: scaling, network, boxes and NMS.
func pictureMS(ctx context.Context, p *infer.Predictor, d *data.Dataset) (float64, error) {
	var all []float64
	for i := range timedPictures + 2 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		path := d.File(i % d.Len())
		pic, err := picture.Decode(path)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		begin := time.Now()
		if _, err := p.Predict(pic); err != nil {
			return 0, err
		}
		if i >= 2 {
			all = append(all, time.Since(begin).Seconds()*1e3)
		}
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, nil
}
