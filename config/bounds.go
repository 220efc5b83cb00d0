package config

import (
	"fmt"
	"strconv"
)

// Bounds on the values of a configuration. They are far above useful values: a damaged or hostile file gives an error instead of taking
// all memory.
const (
	MaxSide    = 16384   // of images on their canvas and of canvases' multiples, in px
	MaxBatch   = 4096    // images per step
	MaxClasses = 10_000  // the largest dataset of boxes, OpenImages, has 601
	maxScale   = 1e9     // of numbers that scale others
	maxRate    = 1e30    // of learning rates; a run that diverges reports it
	MaxText    = 2 << 20 // bytes of a whole configuration; reading it takes a hundred times as much memory

	maxFPNWidth   = 2048
	maxAnchors    = 64      // scales, and ratios
	maxOutputs    = 1 << 17 // of a cell: anchors times classes
	maxSides      = 64
	maxMilestones = 64
	maxGroups     = 64
	maxPolicies   = 64        // of data.augment
	maxName       = 1000      // bytes of a class's
	maxWord       = 1000      // bytes of a number's text
	maxNames      = 400 << 10 // bytes of all: they are at most four times as long where they are escaped
	maxSelected   = 64 << 10  // bytes of the names in data.classes and data.rename
	maxPath       = 4096      // bytes, as Linux has it
	minExtent     = 1e-3      // of anchors' sizes in px, scales and ratios
	maxExtent     = 1 << 20
)

// brief returns a text in quotes; of a long text only the beginning.
func brief(s string) string {
	const most = 80
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q and %d bytes more", s[:most], len(s)-most)
}

// short returns a key; of a long key only the beginning.
func short(key string) string {
	if len(key) > 120 {
		return key[:120] + "..."
	}
	return key
}

// abridged returns a list; of a long list only the beginning.
func abridged[T any](v []T) any {
	if len(v) > maxAnchors {
		return fmt.Sprintf("[%v %v ... %d values]", v[0], v[1], len(v))
	}
	return v
}
