// Package data turns annotated pictures into batches for training and evaluation, and makes a synthetic dataset.
//
//	convert.Source -> Dataset -> Loader: decode -> resize, flip, normalise -> Batch [N,H,W,3] with boxes
//
// Pictures of one batch share a canvas whose sides are multiples of data.canvas_multiple. In training canvases come from a small
// set that fits the dataset's aspect ratios, because every canvas is a graph of its own; in evaluation each picture has the
// canvas that it has alone. Decoding and preparation run in
// parallel with the consumer and in an order that depends on the seed alone.
package data
