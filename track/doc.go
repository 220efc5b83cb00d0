// Package track gives detections of one object in several frames one number.
//
//	detections of a frame -> ByteTrack -> the same with track numbers -> Line, Zone -> counts per class
//
// A Tracker follows objects by where a Kalman filter expects their boxes, as ByteTrack does (Zhang et al. 2022, "ByteTrack:
// Multi-Object Tracking by Associating Every Detection Box"): sure detections first, then unsure ones for what is left. It
// knows boxes, scores and classes, and no pixels.
package track
