//go:build nocv

package video

import (
	"errors"
	"time"

	"retinago/internal/media/picture"
)

var errAbsent = errors.New("video: this program was built without OpenCV (tag nocv): it reads pictures, but no videos, cameras and streams, and writes and shows none")

// Available says why there are no videos.
func Available() error { return errAbsent }

// Reader reads the frames of a video: of none here.
type Reader struct{}

// Open says that there are no videos.
func Open(string) (*Reader, error) { return nil, errAbsent }

// OpenCamera says that there are no cameras.
func OpenCamera(int) (*Reader, error) { return nil, errAbsent }

// Format is that of no video.
func (*Reader) Format() Format { return Format{} }

// Read ends.
func (*Reader) Read() (*picture.Picture, time.Duration, error) { return nil, 0, ErrEnd }

// Close does nothing.
func (*Reader) Close() error { return nil }

// Writer writes a video: none here.
type Writer struct{}

// Create says that no videos are written.
func Create(string, int, int, float64) (*Writer, error) { return nil, errAbsent }

// Write says so too.
func (*Writer) Write(*picture.Picture) error { return errAbsent }

// Codec is none.
func (*Writer) Codec() string { return "" }

// Frames is 0.
func (*Writer) Frames() int { return 0 }

// Close does nothing.
func (*Writer) Close() error { return nil }

// Window shows pictures: none here.
type Window struct{}

// NewWindow says that there are no windows.
func NewWindow(string) (*Window, error) { return nil, errAbsent }

// Show shows nothing.
func (*Window) Show(*picture.Picture) (bool, error) { return false, errAbsent }

// Close does nothing.
func (*Window) Close() {}
