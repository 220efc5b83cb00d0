// Package infer runs a trained model on pictures.
//
//	picture -> scale to the canvas -> network -> decode boxes -> NMS -> detections in pixels of the picture
//
// A Predictor serves single pictures; Evaluate runs a whole dataset for the metric.
package infer
