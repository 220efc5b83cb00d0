// Package quant computes a network in 8 bits after training, without training again.
//
//	calibration: pictures -> the float network -> a Histogram of every activation -> Range
//	a Scheme:    Range of every activation, scale of every output channel of every int8 convolution
//	a Net:       u8 activations, s8 weights, s32 sums; what is not int8 stays float, with conversions where they meet
//
// An activation is one u8 per element with an engine.Affine: value = scale * (q - zero). Zero is 0 after a ReLU, and what
// makes 0 exact elsewhere, since padding is 0. Weights are symmetric, s8 in [-127, 127], with a scale per output channel
// (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference").
//
// A convolution takes its norm's scale, bias, residual and activation with it, and rounds once.
package quant
