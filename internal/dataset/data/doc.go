// Package data turns annotated images into batches for training and evaluation, and makes a synthetic dataset.
//
//	convert.Source -> Dataset -> Loader: decode -> resize, flip, normalise -> Batch [N,H,W,3] with boxes
//
// Images of one batch share a canvas whose sides are multiples of data.canvas_multiple. In training, canvases come from a small
// set that fits the dataset's aspect ratios, because every canvas needs a graph of its own; in evaluation each image has the
// canvas that it has alone. Decoding and preparation run in parallel with the consumer, in an order that depends only on the seed.
package data
