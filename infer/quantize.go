package infer

import (
	"context"
	"errors"
	"fmt"

	"retinago/config"
	"retinago/detector"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Quantize converts a float model to 8 bits. It measures the ranges of activations on at most count of the files, evenly spread over
// them. Images that cannot be read are returned in broken, and others take their place.
func Quantize(ctx context.Context, m *detector.Model, c config.Data, files []string, count int, o QuantizeOptions, report Progress) (broken map[string]error, err error) {
	cal, err := m.Calibrator(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cal.Close()) }()
	count = min(count, len(files))
	broken = map[string]error{}
	done := 0
	for _, i := range evenFirst(len(files), count) {
		if done == count {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pic, err := picture.Decode(files[i])
		if err != nil {
			broken[files[i]] = err
			continue
		}
		in := newInput(c, pic, data.Size{W: pic.W, H: pic.H}, view{}, 1)
		pic.Release()
		err = cal.Add(in.images, in.Canvas.H, in.Canvas.W)
		in.Release()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[i], err)
		}
		done++
		if report != nil {
			report(done, count)
		}
	}
	if done == 0 {
		return broken, fmt.Errorf("infer: none of %d images can be read", len(files))
	}
	s, err := cal.Scheme()
	if err != nil {
		return nil, err
	}
	return broken, m.Quantize(s)
}

// evenFirst returns 0 to n-1 in an order whose first count numbers are evenly spread.
func evenFirst(n, count int) []int {
	order := make([]int, 0, n)
	used := make([]bool, n)
	for i := range count {
		order = append(order, i*n/count)
		used[i*n/count] = true
	}
	for i := range n {
		if !used[i] {
			order = append(order, i)
		}
	}
	return order
}
