// Package video reads frames of files, cameras and streams, and writes and shows them.
//
//	file, cam:N, rtsp://... -> Reader -> upright RGB images with time stamps -> Writer, Window
//
// With the build tag opencv, OpenCV reads and shows frames, and FFmpeg's libraries, by which OpenCV reads too, encode them. Without the
// tag every function returns ErrAbsent.
package video

import "errors"

// ErrEnd says that a video has no more frames.
var ErrEnd = errors.New("video: the end")

// ErrAbsent is the error of every function in a program that was built without the tag opencv.
var ErrAbsent = errors.New("this program was built without OpenCV and FFmpeg, so it reads, writes and shows no videos, cameras or streams: " +
	"install what scripts/setup names and build with the tag opencv (make build, or go build -tags opencv)")

// Format is the size, rate and length of a video.
type Format struct {
	W, H   int     // of upright frames, in pixels
	Rate   float64 // frames a second; 0 if unknown
	Frames int     // as the container says, not always rightly; 0 if unknown, as of cameras and live streams
}
