//go:build !nocv

package video

import (
	"fmt"
	"math"
	"time"

	"gocv.io/x/gocv"

	"retinago/picture"
)

// Reader reads the frames of a video in their order. It is not for concurrent use.
type Reader struct {
	name   string
	vc     *gocv.VideoCapture
	mat    gocv.Mat
	format Format
	last   time.Duration // stamp
	begun  bool
}

// Available says why there are no videos: an error only where the program was built without OpenCV.
func Available() error { return nil }

// Open opens a video file or the address of a stream.
func Open(path string) (*Reader, error) {
	vc, err := gocv.VideoCaptureFileWithAPI(path, gocv.VideoCaptureFFmpeg)
	// Whatever else OpenCV has reads files; with an address it would print the password.
	if err != nil && Public(path) == path {
		vc.Close()
		vc, err = gocv.VideoCaptureFile(path)
	}
	return newReader(Public(path), vc, err)
}

// OpenCamera opens a camera by its number.
func OpenCamera(n int) (*Reader, error) {
	vc, err := gocv.VideoCaptureDevice(n)
	return newReader(fmt.Sprintf("cam:%d", n), vc, err)
}

func newReader(name string, vc *gocv.VideoCapture, err error) (*Reader, error) {
	if err != nil {
		vc.Close()
		return nil, fmt.Errorf("video: %s: OpenCV cannot open it: it is not there, no video, or of a codec that this OpenCV lacks", name)
	}
	// OpenCV turns frames upright itself, and tells size and rate as its backend knows them: not numbers for a live stream.
	count := func(p gocv.VideoCaptureProperties) int {
		v := vc.Get(p)
		if !(v > 0 && v < math.MaxInt32) {
			return 0
		}
		return int(v)
	}
	r := &Reader{name: name, vc: vc, mat: gocv.NewMat(), format: Format{W: count(gocv.VideoCaptureFrameWidth), H: count(gocv.VideoCaptureFrameHeight),
		Frames: count(gocv.VideoCaptureFrameCount)}}
	if v := vc.Get(gocv.VideoCaptureFPS); v > 0 && v <= 1000 {
		r.format.Rate = v
	}
	return r, nil
}

// Format is what the video says of itself.
func (r *Reader) Format() Format { return r.format }

// Read returns the next frame and its time stamp, and ErrEnd after the last.
func (r *Reader) Read() (*picture.Picture, time.Duration, error) {
	if !r.vc.Read(&r.mat) || r.mat.Empty() {
		return nil, 0, ErrEnd
	}
	ms := r.vc.Get(gocv.VideoCapturePosMsec)
	if r.mat.Channels() != 3 || r.mat.Type() != gocv.MatTypeCV8UC3 {
		return nil, 0, fmt.Errorf("video: %s: frames of %d channels; three of 8 bits are read", r.name, r.mat.Channels())
	}
	bgr, err := r.mat.DataPtrUint8()
	if err != nil {
		return nil, 0, fmt.Errorf("video: %s: %w", r.name, err)
	}
	return picture.FromBGR(r.mat.Cols(), r.mat.Rows(), bgr), r.stamp(time.Duration(max(ms, 0) * float64(time.Millisecond))), nil
}

// stamp is what OpenCV tells of a frame; of those that a decoder still held at the end of the file it tells nothing: they
// follow at the video's rate.
func (r *Reader) stamp(told time.Duration) time.Duration {
	if r.begun && told <= r.last {
		told = r.last
		if r.format.Rate > 0 {
			told += time.Duration(float64(time.Second) / r.format.Rate)
		}
	}
	r.begun, r.last = true, told
	return told
}

// Close ends reading.
func (r *Reader) Close() error {
	r.mat.Close()
	return r.vc.Close()
}
