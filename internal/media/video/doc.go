// Package video reads frames of files, cameras and streams, and writes and shows them.
//
//	file, cam:N, rtsp://... -> Reader -> upright RGB pictures with time stamps -> Writer, Window
//
// OpenCV reads and shows, FFmpeg's libraries, which OpenCV reads by too, encode; with the build tag nocv everything here is an error that says so.
package video

import (
	"errors"
)

// ErrEnd says that a video has no more frames.
var ErrEnd = errors.New("video: the end")

// Format is what a video says of itself.
type Format struct {
	W, H   int     // of upright frames, in pixels
	Rate   float64 // frames a second; 0 where it does not tell
	Frames int     // 0 where it does not tell, as cameras and live streams
}
