package source

import (
	"time"

	"retinago/internal/media/picture"
)

// Frame is a picture to find objects on.
type Frame struct {
	Index int           // among all frames that were handed out, from 0
	Path  string        // of the file; the name of a camera or stream
	Name  string        // of what is made of it, relative to the folder of results; no two files or videos have one
	Video *Video        // that it is of; nil for a picture
	Count int           // of the frame in its video, from 0: dropped ones count
	Time  time.Duration // of the frame in its video
	// Pic is the picture; nil where Path is yet to be decoded.
	Pic *picture.Picture
	// Read is how long it took to get Pic.
	Read time.Duration
	// Err says why there is no picture.
	Err error
}

// Video is where frames come from.
type Video struct {
	Rate   float64 // frames a second, 0 where it does not tell
	Frames int     // 0 where it does not tell
	Live   bool    // it does not wait, and drops frames that nobody takes
	Lane   int     // videos of one lane come one after another, those of others meanwhile
}
