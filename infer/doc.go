// Package infer runs a trained model on pictures.
//
//	picture -> scale to the canvas -> network -> decode boxes -> NMS -> detections in pixels of the picture
//
// A Predictor serves single pictures, batches of one canvas and, with its stages overlapped, streams of frames: files, videos, cameras. A
// Choice makes it look at a picture in several views: mirrored, at other scales, in tiles. Evaluate runs a whole dataset for the metric.
package infer
