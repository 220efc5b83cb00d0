package source

import (
	"time"

	"retinago/internal/media/picture"
)

// Frame is an image to find objects on.
type Frame struct {
	Index int    // among all frames, from 0
	Path  string // of the file; the name of a camera or stream
	Name  string // of files made from it, relative to the folder of results; unique
	Video *Video // its source; nil for an image file
	// Pages is how many pages or frames the file of an image has that come one by one; 0 where it comes alone. Count is its place among
	// them, and Time is set for those of a GIF, which are Timed.
	Pages int
	Timed bool
	// Series is the folder of an image that came with others of it, in the order of their names or of the list: they may be the frames of
	// a video. It is the file of a page, and empty for an image that was named alone.
	Series string
	Count  int           // of the frame in its video or file, from 0; dropped frames count
	Time   time.Duration // of the frame in its video or GIF
	// Pic is the image; nil where Path is still to be decoded.
	Pic *picture.Picture
	// Read is the time that reading Pic took.
	Read time.Duration
	// Err is the reason why there is no image.
	Err error
}

// Video is the source of frames.
type Video struct {
	Rate   float64 // frames a second, 0 if unknown
	Frames int     // as its container says, not always rightly; 0 if unknown
	// Realtime says that the source does not wait for its receiver, and drops frames that are not taken in time.
	Realtime bool
	// Input is the number of the named source: videos of one input come one after another, videos of different inputs at the same time.
	Input int
}
