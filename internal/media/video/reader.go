//go:build opencv

package video

// #include <stdlib.h>
// #include "opencv.h"
import "C"

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unsafe"

	"gocv.io/x/gocv"

	"retinago/internal/media/picture"
)

// Reader reads the frames of a video in their order. It is not for concurrent use.
type Reader struct {
	name   string
	path   string // empty for a camera
	from   *C.rn_capture
	frame  gocv.Mat // the last one
	format Format
	last   time.Duration   // stamp
	gap    time.Duration   // before it
	held   []time.Duration // stamps of the frames that the decoder holds at the end
	looked bool            // for them
	begun  bool
}

// Available returns nil: this build reads and writes videos.
func Available() error { return nil }

// Open opens a video file or the address of a stream.
func Open(path string) (*Reader, error) {
	by := gocv.VideoCaptureFFmpeg
	// Without FFmpeg whatever else OpenCV has reads files: some of it takes names for patterns, and prints messages of its own. With an
	// address it would print the password.
	if Public(path) == path && C.rn_capture_reads(C.int(by)) == 0 {
		by = gocv.VideoCaptureAny
	}
	return open(Public(path), path, 0, by)
}

// fileURL is a name as FFmpeg takes it: what stands before a colon would be a protocol.
func fileURL(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	return "file:" + path
}

// OpenCamera opens a camera by its number.
func OpenCamera(n int) (*Reader, error) {
	return open(fmt.Sprintf("cam:%d", n), "", n, gocv.VideoCaptureAny)
}

// open opens a file or an address by one of OpenCV's readers, or a camera.
func open(name, path string, camera int, by gocv.VideoCaptureAPI) (*Reader, error) {
	var uri *C.char
	if path != "" {
		at := path
		if by == gocv.VideoCaptureFFmpeg {
			at = fileURL(path)
		}
		uri = C.CString(at)
		defer C.free(unsafe.Pointer(uri))
	}
	var f C.rn_format
	var text message
	from := C.rn_capture_open(uri, C.int(camera), C.int(by), &f, &text[0])
	if from == nil {
		err := fmt.Errorf("video: %s: OpenCV cannot open it: it is not there, no video, or of a codec that this OpenCV lacks", name)
		if why := text.err(); why != nil {
			err = fmt.Errorf("%w (%w)", err, why)
		}
		return nil, err
	}
	// OpenCV turns frames upright itself, and reports size and rate as its backend knows them: no usable numbers for a live stream.
	count := func(v C.double) int {
		if !(v > 0 && v < math.MaxInt32) {
			return 0
		}
		return int(v)
	}
	r := &Reader{name: name, path: path, from: from, frame: gocv.NewMat(), format: Format{W: count(f.w), H: count(f.h), Frames: count(f.frames)}}
	if f.rate > 0 && f.rate <= 1000 {
		r.format.Rate = float64(f.rate)
	}
	if int64(r.format.W)*int64(r.format.H) > mostPixels() {
		r.Close()
		return nil, fmt.Errorf("video: %s: frames of %dx%d pixels; %d are read", name, r.format.W, r.format.H, mostPixels())
	}
	return r, nil
}

// mostPixels are those of a frame that OpenCV and this program have in memory once each.
func mostPixels() int64 { return picture.MaxMemory() / 6 }

// Format returns the video's size, rate and length.
func (r *Reader) Format() Format { return r.format }

// Read returns the next frame and its time stamp, and ErrEnd after the last.
func (r *Reader) Read() (*picture.Picture, time.Duration, error) {
	if r.from == nil {
		return nil, 0, ErrEnd
	}
	var ms C.double
	var text message
	switch C.rn_capture_read(r.from, C.int64_t(mostPixels()), unsafe.Pointer(r.frame.Ptr()), &ms, &text[0]) {
	case 0:
		return nil, 0, ErrEnd
	case -1:
		return nil, 0, fmt.Errorf("video: %s: %w", r.name, text.err())
	}
	bgr, err := r.frame.DataPtrUint8()
	if err != nil {
		return nil, 0, fmt.Errorf("video: %s: %w", r.name, err)
	}
	return picture.FromBGR(r.frame.Cols(), r.frame.Rows(), bgr), r.stamp(time.Duration(max(float64(ms), 0) * float64(time.Millisecond))), nil
}

// stamp returns a frame's time stamp. OpenCV reports none for frames that a decoder still held at the end of the file: they have the
// stamps of the file's last packets; where these are unknown they follow at the video's rate.
func (r *Reader) stamp(reported time.Duration) time.Duration {
	if r.begun && reported <= r.last {
		if !r.looked {
			r.held, r.looked = r.heldStamps(), true
		}
		for len(r.held) > 0 && r.held[0] <= r.last+tick {
			r.held = r.held[1:]
		}
		reported = r.last
		if len(r.held) > 0 {
			reported = r.held[0]
		} else if r.format.Rate > 0 {
			reported += time.Duration(float64(time.Second) / r.format.Rate)
		}
	}
	r.begun, r.gap, r.last = true, reported-r.last, reported
	return reported
}

// tick is what two time stamps of one frame differ by at most: containers and OpenCV round them.
const tick = 100 * time.Microsecond

// Close ends reading.
func (r *Reader) Close() error {
	if r.from == nil {
		return nil
	}
	C.rn_capture_close(r.from)
	r.from = nil
	return r.frame.Close()
}
