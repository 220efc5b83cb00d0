// Package infer runs a trained model on pictures.
//
//	picture -> scale to the canvas -> network -> decode boxes -> NMS -> detections in pixels of the picture
//
// A Predictor detects objects in single pictures (a Picture, any of Go's images, the bytes of a file, a file), in batches of one canvas
// and, with overlapping stages, in streams of frames (files, videos, cameras), for several goroutines at once. A Choice adds views of a
// picture: mirrored, at other scales, in tiles. Evaluate runs a whole dataset for the metric.
package infer
