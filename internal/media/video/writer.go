//go:build opencv

package video

// #cgo pkg-config: libavformat libavcodec libavutil libswscale
// #cgo LDFLAGS: -lm
// #include <stdlib.h>
// #include "encode.h"
// #include <libavcodec/avcodec.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"gocv.io/x/gocv"

	"retinago/internal/media/picture"
)

// Codec names what reads and writes videos.
func Codec() string {
	v := uint(C.avcodec_version())
	return fmt.Sprintf("OpenCV %s, FFmpeg's libavcodec %d.%d.%d", gocv.OpenCVVersion(), v>>16, v>>8&255, v&255)
}

// Writer writes frames as an mp4 file. It is not for concurrent use.
type Writer struct {
	path, part string
	w, h       int
	enc        *C.rn_video
	codec      string
	frames     int
}

// Create begins an mp4 file of frames of w x h pixels. Until Close it has another name, path.part.mp4.
func Create(path string, w, h int, rate float64) (*Writer, error) {
	if w < 2 || h < 2 || !(rate > 0) {
		return nil, fmt.Errorf("video: %s: frames of %dx%d, %g a second; sides of 2 and more and a rate above 0 can be written", path, w, h, rate)
	}
	part := strings.TrimSuffix(path, filepath.Ext(path)) + ".part.mp4"
	name := C.CString(fileURL(part))
	defer C.free(unsafe.Pointer(name))
	var wrong *C.char
	enc := C.rn_video_new(name, C.int(w&^1), C.int(h&^1), C.double(rate), &wrong)
	if enc == nil {
		return nil, fmt.Errorf("video: %s: frames of %dx%d, %g a second: %w", path, w, h, rate, taken(wrong))
	}
	codec := "H.264"
	if C.GoString(C.rn_video_codec(enc)) == "mpeg4" {
		codec = "MPEG-4 part 2, which browsers do not play: this FFmpeg has no H.264 encoder"
	}
	if w%2+h%2 > 0 {
		codec += fmt.Sprintf("; %dx%d: the codec requires even sides", w&^1, h&^1)
	}
	return &Writer{path: path, part: part, w: w, h: h, enc: enc, codec: codec}, nil
}

// taken is the error of a message from C, which it frees; nil for none.
func taken(text *C.char) error {
	if text == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(text))
	return errors.New(C.GoString(text))
}

// Write adds a frame, the time of a frame after the last.
func (w *Writer) Write(p *picture.Picture) error {
	return w.write(p, -1)
}

// WriteAt adds a frame at a time from the begin of the video, in the order of time. A time that is not later than that of the last frame is
// that of a video without time stamps: the frame follows at the rate.
func (w *Writer) WriteAt(p *picture.Picture, at time.Duration) error {
	return w.write(p, max(at, 0).Seconds())
}

// write adds a frame at a time in seconds; below 0 it follows the last.
func (w *Writer) write(p *picture.Picture, at float64) error {
	if w.enc == nil {
		return fmt.Errorf("video: %s: %w", w.path, os.ErrClosed)
	}
	if p.W != w.w || p.H != w.h {
		return fmt.Errorf("video: %s: a frame of %dx%d in a video of %dx%d", w.path, p.W, p.H, w.w, w.h)
	}
	if err := taken(C.rn_video_write(w.enc, (*C.uint8_t)(&p.Pix[0]), C.int(3*p.W), C.double(at))); err != nil {
		return fmt.Errorf("video: %s: %w", w.path, err)
	}
	w.frames++
	return nil
}

// Codec describes the codec of the file.
func (w *Writer) Codec() string { return w.codec }

// Frames returns the number of frames that were written.
func (w *Writer) Frames() int { return w.frames }

// Close ends the file and gives it its name. What could not be ended stays under the other name.
func (w *Writer) Close() error {
	if w.enc == nil {
		return fmt.Errorf("video: %s: %w", w.path, os.ErrClosed)
	}
	err := taken(C.rn_video_close(w.enc))
	w.enc = nil
	if err == nil {
		err = os.Rename(w.part, w.path)
	}
	if err != nil {
		return fmt.Errorf("video: %s: %w", w.path, err)
	}
	return nil
}
