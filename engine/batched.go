package engine

import "gorgonia.org/tensor"

// BatchedConv is an engine that computes the convolutions of several maps with the same weights at once, for less than one by one. All
// maps have the same channels. Otherwise these are Conv without a residual, ConvData and ConvWeights.
type BatchedConv interface {
	// Batches reports whether there is such a gain for convolutions with weights of a shape.
	Batches(w tensor.Shape, p ConvParams) bool
	ConvAll(y, x []*tensor.Dense, w, scale, b *tensor.Dense, p ConvParams) error
	ConvDataAll(dx, dy []*tensor.Dense, w, scale *tensor.Dense, p ConvParams) error
	// ConvWeightsAll writes the sum of the maps' gradients.
	ConvWeightsAll(dw *tensor.Dense, dy, x []*tensor.Dense, scale *tensor.Dense, p ConvParams) error
}
