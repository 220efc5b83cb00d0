package coco

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
)

// Params are the settings of Evaluate; the zero value is COCO's protocol.
type Params struct {
	IoUs     []float64 // thresholds in (0,1]; nil is .50, .55 ... .95
	MaxDets  [3]int    // detections counted per image and class, ascending; zeros are 1, 10, 100
	ImageIDs []int64   // evaluate these images only; nil is all
	Workers  int       // goroutines; 0 is one per core. The result does not depend on it
}

const (
	recallPoints = 101
	areaCount    = 4
)

// areaNames and areaRanges are COCO's sizes of objects, in pixels of area; both ends count.
var (
	areaNames  = [areaCount]string{"all", "small", "medium", "large"}
	areaRanges = [areaCount][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}
)

// linspace is numpy's: start + i*step in float64, the last exactly stop. The conversions forbid a fused
// multiply-add, which would round differently.
func linspace(start, stop float64, n int) []float64 {
	step := (stop - start) / float64(n-1)
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(float64(i)*step) + start
	}
	v[n-1] = stop
	return v
}

func (p Params) withDefaults() (Params, error) {
	if p.IoUs == nil {
		p.IoUs = linspace(.5, .95, 10)
	}
	if p.MaxDets == [3]int{} {
		p.MaxDets = [3]int{1, 10, 100}
	}
	if p.Workers <= 0 {
		p.Workers = runtime.GOMAXPROCS(0)
	}
	if len(p.IoUs) == 0 {
		return p, errors.New("no IoU thresholds: give some in (0,1], or none at all for COCO's")
	}
	for _, t := range p.IoUs {
		if !(t > 0 && t <= 1) {
			return p, fmt.Errorf("IoU threshold %v: want one in (0,1]", t)
		}
	}
	if !slices.IsSorted(p.MaxDets[:]) || p.MaxDets[0] < 1 {
		return p, fmt.Errorf("detections per image %v: want three positive numbers, ascending", p.MaxDets)
	}
	return p, nil
}
