// Package infer runs a trained model on pictures.
//
//	picture -> scale to the canvas -> network -> decode boxes -> NMS -> detections in pixels of the picture
//
// A Predictor serves single pictures (of this project's, of Go's, or the bytes of a file), batches of one canvas and, with its
// stages overlapped, streams of frames (files, videos, cameras), to several goroutines at once. A Choice makes it look at a
// picture in several views: mirrored, at other scales, in tiles. Evaluate runs a whole dataset for the metric.
package infer
