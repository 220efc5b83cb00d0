// Package augment varies training images. A policy draws a change: an affine map of positions, a map of colours, rectangles without an
// image, further images. Changes compose, so that an image is read and scaled once, whatever was drawn, and its boxes go through the
// same map of positions. The package draws and computes positions; drawing pixels is for others. It uses neither C nor gorgonia.
package augment
