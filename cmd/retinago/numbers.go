package main

import (
	"fmt"
	"strconv"
	"strings"
)

// numbers reads a list with commas between.
func numbers(list string) ([]float64, error) {
	var out []float64
	for _, part := range strings.Split(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", part)
		}
		out = append(out, v)
	}
	return out, nil
}

// numbersWithin reads a list of numbers from low to high; an empty one is nil.
func numbersWithin(list string, low, high float64) ([]float64, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	all, err := numbers(list)
	for _, v := range all {
		if !(v >= low && v <= high) {
			err = fmt.Errorf("%g is out of range", v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w; give numbers of %g to %g with commas between", list, err, low, high)
	}
	return all, nil
}
