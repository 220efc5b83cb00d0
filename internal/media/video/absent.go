//go:build !opencv

package video

import (
	"fmt"
	"time"

	"retinago/internal/media/picture"
)

// Available returns ErrAbsent: this build reads and writes no videos.
func Available() error { return fmt.Errorf("video: %w", ErrAbsent) }

// Codec names what reads and writes videos.
func Codec() string { return "none: built without the tag opencv" }

func absent(name string) error { return fmt.Errorf("video: %s: %w", name, ErrAbsent) }

// Reader reads the frames of a video; this build has none.
type Reader struct{}

// Open returns ErrAbsent.
func Open(path string) (*Reader, error) { return nil, absent(Public(path)) }

// OpenCamera returns ErrAbsent.
func OpenCamera(n int) (*Reader, error) { return nil, absent(fmt.Sprintf("cam:%d", n)) }

// Format is empty.
func (*Reader) Format() Format { return Format{} }

// Read returns ErrEnd.
func (*Reader) Read() (*picture.Picture, time.Duration, error) { return nil, 0, ErrEnd }

// Missing returns nil.
func (*Reader) Missing(int) error { return nil }

// Close does nothing.
func (*Reader) Close() error { return nil }

// Writer writes a video; this build has none.
type Writer struct{}

// Create returns ErrAbsent.
func Create(path string, _, _ int, _ float64) (*Writer, error) { return nil, absent(path) }

// Write returns ErrAbsent.
func (*Writer) Write(*picture.Picture) error { return ErrAbsent }

// WriteAt returns ErrAbsent.
func (*Writer) WriteAt(*picture.Picture, time.Duration) error { return ErrAbsent }

// Codec is empty.
func (*Writer) Codec() string { return "" }

// Frames is 0.
func (*Writer) Frames() int { return 0 }

// Close does nothing.
func (*Writer) Close() error { return nil }

// Window shows images; this build has none.
type Window struct{}

// NewWindow returns ErrAbsent.
func NewWindow(title string) (*Window, error) { return nil, absent("window " + title) }

// Show returns ErrAbsent.
func (*Window) Show(*picture.Picture) (bool, error) { return false, ErrAbsent }

// Close does nothing.
func (*Window) Close() {}
