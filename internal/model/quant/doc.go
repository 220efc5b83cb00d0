// Package quant computes a trained network in 8 bits, without training it again.
//
//	calibration: images -> the float network -> a Histogram of every activation -> Range
//	a Scheme:    Range of every activation, scale of every output channel of every int8 convolution
//	a Net:       u8 activations, s8 weights, s32 sums; other operations stay float, with conversions between the two
//
// An activation is one u8 per element with an engine.Affine: value = scale * (q - zero). Zero is 0 after a ReLU; elsewhere it is
// chosen so that 0 is exact, since padding is 0. Weights are symmetric, s8 in [-127, 127], with a scale per output channel
// (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference").
//
// A convolution includes the scale of its norm, bias, residual and activation, and rounds once.
package quant
