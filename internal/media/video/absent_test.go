//go:build !opencv

package video

import (
	"errors"
	"strings"
	"testing"
)

// Without OpenCV every way to a video is an error that names it, says what is missing and how to build.
func TestAbsent(t *testing.T) {
	_, file := Open("street.mp4")
	_, stream := Open("rtsp://user:secret@host/live")
	_, camera := OpenCamera(2)
	_, made := Create("out.mp4", 64, 48, 25)
	_, window := NewWindow("title")
	for want, err := range map[string]error{"street.mp4": file, "rtsp://***@host/live": stream, "cam:2": camera, "out.mp4": made, "title": window, "video": Available()} {
		if !errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
		for _, part := range []string{"built without OpenCV", "make build", "-tags opencv"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v; want %q", want, err, part)
			}
		}
	}
}
