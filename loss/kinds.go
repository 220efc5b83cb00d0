package loss

import (
	"slices"

	"retinago/internal/kinds"
)

// Params are the settings that the kinds of class losses read. The yaml tags name their keys for package config.
type Params struct {
	// Alpha is the weight of objects, 1-Alpha the weight of background; a negative Alpha disables weighting.
	Alpha float64 `yaml:"alpha"`
	// Gamma is the focusing exponent.
	Gamma float64 `yaml:"gamma"`
	// Shift is the offset beta of focalstar.
	Shift float64 `yaml:"shift"`
	// Epsilon is what poly1 adds to the focal loss's first coefficient.
	Epsilon float64 `yaml:"epsilon"`
	// MineKeep is the number of anchors of a batch that ohem selects.
	MineKeep int `yaml:"mine_keep"`
	// MineRatio is the number of background anchors that ohem selects per anchor of an object: 3 in the paper's OHEM 1:3; 0 makes no distinction.
	MineRatio float64 `yaml:"mine_ratio"`
	// MineNMS is the IoU with a harder anchor above which ohem excludes an anchor; 1 excludes no anchor.
	MineNMS float64 `yaml:"mine_nms"`
}

// DefaultParams returns the settings of a configuration that sets none: those of the focal loss, which other kinds begin with too.
func DefaultParams() Params {
	return Params{Alpha: .25, Gamma: 2, Shift: 1, Epsilon: -1, MineKeep: 256, MineNMS: .7}
}

// alpha returns a loss's Alpha for a configured one. In a configuration 0 weights objects with 0; in a loss 0 disables weighting.
func (p Params) alpha() float64 {
	if p.Alpha == 0 {
		return NoObjects
	}
	return p.Alpha
}

// Kind is a class loss with its name. It has either Class or Quality.
type Kind struct {
	kinds.Kind
	Class   func(Params) Class
	Quality func(Params) QualityLoss
	// Focusing is true if the exponent gamma weights easy anchors down.
	Focusing bool
	// Background is true if the loss needs a logit for the background: the setting model.background.
	Background bool
	// HardNegativeMining is true if only the hardest anchors count, and MineNMS excludes some of them.
	HardNegativeMining bool
}

// BoxKind is a box loss with its name.
type BoxKind struct {
	kinds.Kind
	New func(beta float64) Box
}

// Kinds lists the class losses.
var Kinds = slices.Concat(focalKinds, focalStarKinds, polyKinds, softmaxKinds, ohemKinds, qualityKinds)

// BoxKinds lists the box losses.
var BoxKinds = slices.Concat(deltaKinds, overlapKinds)

// KeyRanges are the ranges that the settings of Params have for every kind.
var KeyRanges = []kinds.Param{
	alphaParam, gammaParam,
	{Key: "shift", Min: -100, Max: 100},
	{Key: "epsilon", Min: -1, Max: 10},
	keepParam,
	{Key: "mine_ratio", Max: 1e6},
	{Key: "mine_nms", Max: 1, Above: true},
}

// Settings that several kinds read.
var (
	keepParam  = kinds.Param{Key: "mine_keep", Default: 256, Min: 1, Max: 1<<31 - 1, Want: "1 to 2147483647", Text: "anchors of a batch that count"}
	alphaParam = kinds.Param{Key: "alpha", Default: .25, Min: -1e9, Max: 1, Want: "0 to 1, or negative for no weighting", Text: "weight of objects"}
	gammaParam = kinds.Param{Key: "gamma", Default: 2, Max: 10, Text: "focusing exponent"}
)

// Find returns the class loss with a name.
func Find(name string) (Kind, error) { return kinds.Find(Kinds, "class loss", name) }

// FindBox returns the box loss with a name.
func FindBox(name string) (BoxKind, error) { return kinds.Find(BoxKinds, "box loss", name) }
