// Package track assigns detections in the frames of a video to tracks, one per object, and counts tracks.
//
//	detections of a frame -> ByteTrack -> the same with track numbers -> Line, Zone -> counts by class
//
// A Tracker assigns detections by the boxes that a Kalman filter predicts, as ByteTrack does (Zhang et al. 2022, "ByteTrack:
// Multi-Object Tracking by Associating Every Detection Box"): detections of high score first, then those of low score to the
// remaining tracks. It uses boxes, scores and classes, and no pixels. A Follower does this for several videos, with counts.
package track
