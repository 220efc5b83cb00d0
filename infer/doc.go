// Package infer runs a trained model on images.
//
//	image -> scale to the canvas -> network -> decode boxes -> NMS -> detections in pixels of the image
//
// A Predictor detects objects in single images (a Picture, an image.Image, the bytes of a file, a file), in batches of one canvas
// and, with overlapping stages, in streams of frames (files, videos, cameras), for several goroutines at once. A Choice adds views of an
// image: mirrored, at other scales, in tiles. Evaluate runs a whole dataset for the metric.
package infer
