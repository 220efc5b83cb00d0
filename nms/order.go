package nms

import (
	"fmt"
	"math"
	"slices"

	"retinago/box"
)

// byScore returns the indices by falling score, equal ones by index, without those that are not numbers.
func byScore(boxes []box.Box, scores []float32) []int32 {
	if len(boxes) != len(scores) {
		panic(fmt.Sprintf("nms: %d boxes with %d scores", len(boxes), len(scores)))
	}
	keys := make([]uint64, 0, len(boxes))
	for i, b := range boxes {
		if s := scores[i]; s == s && b.X1 == b.X1 && b.Y1 == b.Y1 && b.X2 == b.X2 && b.Y2 == b.Y2 { // none is NaN
			keys = append(keys, uint64(falling(s))<<32|uint64(i))
		}
	}
	if len(keys) < 1<<digit {
		slices.Sort(keys)
	} else {
		keys = radix(keys)
	}
	order := make([]int32, len(keys))
	for n, k := range keys {
		order[n] = int32(uint32(k))
	}
	return order
}

// falling maps numbers to integers in the opposite order; -0 and 0 map to the same.
func falling(s float32) uint32 {
	bits := math.Float32bits(s + 0) // -0 + 0 is 0
	if bits>>31 == 0 {
		return ^(bits | 1<<31)
	}
	return bits
}

const digit = 11 // bits of a pass of the radix sort

// radix sorts keys by their upper halves and keeps the order of equal ones: counting sorts from the lowest digit.
func radix(keys []uint64) []uint64 {
	other := make([]uint64, len(keys))
	for shift := 32; shift < 64; shift += digit {
		var start [1 << digit]int
		for _, k := range keys {
			start[k>>shift&(1<<digit-1)]++
		}
		at := 0
		for d, n := range start {
			start[d], at = at, at+n
		}
		for _, k := range keys {
			d := k >> shift & (1<<digit - 1)
			other[start[d]] = k
			start[d]++
		}
		keys, other = other, keys
	}
	return keys
}
