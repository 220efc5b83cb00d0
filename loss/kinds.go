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
	// Smoothing is the share of a target that goes to all classes alike: label smoothing of focal, bce and softmax.
	Smoothing float64 `yaml:"smoothing"`
	// Bins are the parts of [0,1] in which ghmc counts the lengths of gradients.
	Bins int `yaml:"bins"`
	// BinMomentum is the share of earlier batches in ghmc's counts.
	BinMomentum float64 `yaml:"bin_momentum"`
	// GammaScale is what efl adds to gamma for the rarest classes.
	GammaScale float64 `yaml:"gamma_scale"`
	// EQLAlpha is what eqlv2 adds to the weight 1 of the rarest classes' objects.
	EQLAlpha float64 `yaml:"eql_alpha"`
	// EQLGamma is the steepness of eqlv2's weights over the ratio of gradients.
	EQLGamma float64 `yaml:"eql_gamma"`
	// EQLMu is the ratio of gradients at which eqlv2's weights are half way.
	EQLMu float64 `yaml:"eql_mu"`
	// Mitigation is seesaw's exponent of the ratio of counts, p of the paper.
	Mitigation float64 `yaml:"mitigation"`
	// Compensation is seesaw's exponent of the ratio of scores, q of the paper.
	Compensation float64 `yaml:"compensation"`
	// ClassWeights multiply the loss of each class: a list with a number for each class, or a name of loss.Weightings; empty weights all
	// alike. For focal, bce, poly1, softmax and ghmc.
	ClassWeights ClassWeights `yaml:"class_weights"`
	// ClassBeta is beta of the weights effective_number.
	ClassBeta float64 `yaml:"class_beta"`
	// ClassAlphas are the values of alpha by class, 0 to 1, instead of one for all. For focal and poly1.
	ClassAlphas []float64 `yaml:"class_alphas,flow"`
}

// DefaultParams returns the settings of a configuration that sets none: those of the focal loss, which other kinds begin with too.
func DefaultParams() Params {
	return Params{Alpha: .25, Gamma: 2, Shift: 1, Epsilon: -1, MineKeep: 256, MineNMS: .7, Bins: 30, BinMomentum: .75, GammaScale: 8,
		EQLAlpha: 4, EQLGamma: 12, EQLMu: .8, Mitigation: .8, Compensation: 2, ClassBeta: .999}
}

// alpha returns a loss's Alpha for a configured one. In a configuration 0 weights objects with 0; in a loss 0 disables weighting.
func (p Params) alpha() float64 {
	if p.Alpha == 0 {
		return NoObjects
	}
	return p.Alpha
}

// taskAlpha is alpha for a loss that reads ClassAlphas, whose factors on columns replace it.
func (p Params) taskAlpha() float64 {
	if len(p.ClassAlphas) > 0 {
		return 0
	}
	return p.alpha()
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
	// ClassWeights is true if the loss reads Params.ClassWeights, ClassAlphas if it reads those.
	ClassWeights, ClassAlphas bool
}

// BoxKind is a box loss with its name.
type BoxKind struct {
	kinds.Kind
	New func(beta float64) Box
}

// Kinds lists the class losses.
var Kinds = slices.Concat(focalKinds, focalStarKinds, polyKinds, softmaxKinds, ohemKinds, qualityKinds, ghmKinds, equalizedKinds, equalizationKinds, seesawKinds)

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
	smoothingParam,
	{Key: "bins", Min: 1, Max: 10000},
	{Key: "bin_momentum", Max: .9999},
	{Key: "gamma_scale", Max: 50},
	{Key: "eql_alpha", Max: 100},
	{Key: "eql_gamma", Max: 1000},
	{Key: "eql_mu", Max: 100},
	{Key: "mitigation", Max: 10},
	{Key: "compensation", Max: 10},
	{Key: "class_beta", Max: .999999999, Want: "0 to below 1"},
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
