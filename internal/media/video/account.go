//go:build opencv

package video

// #cgo pkg-config: libavformat libavcodec libavutil
// #include <stdlib.h>
// #include "account.h"
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Missing returns why a video that ended after n frames is not whole, nil where it is. The number of frames that a container says is its
// word: Matroska has a length and a usual rate instead, and an edit list leaves frames out. A file whose number differs is read a second
// time, without decoding; it is whole if all its frames were decoded and they reach its length.
func (r *Reader) Missing(n int) error {
	said := r.format.Frames
	if n > 0 && n >= said-slack(said) {
		return nil
	}
	if n == 0 {
		return fmt.Errorf("it has no frame that can be decoded, of %d that it says: it is cut or damaged", said)
	}
	cut := fmt.Errorf("it ends after %d of %d frames: it is cut or damaged", n, said)
	if strings.Contains(r.path, "://") { // it is not loaded a second time
		if r.format.Rate > 0 && r.last+r.gap+time.Duration(float64(slack(said))/r.format.Rate*1e9) >= time.Duration(float64(said)/r.format.Rate*1e9) {
			return nil
		}
		return cut
	}
	path := C.CString(fileURL(r.path))
	defer C.free(unsafe.Pointer(path))
	var a C.rn_account
	if C.rn_video_account(path, &a) != 0 || a.failed != 0 {
		return cut
	}
	frames, length, end := int(a.frames), float64(a.length), float64(a.end)
	spare := length / 100
	if r.format.Rate > 0 {
		spare = max(spare, 2/r.format.Rate)
	}
	switch {
	case n < frames-slack(frames):
		return fmt.Errorf("%d of its %d frames can be decoded: it is damaged", n, frames)
	case end < length-spare:
		return fmt.Errorf("it ends after %d frames and %.2f of %.2f seconds: it is cut or damaged", n, end, length)
	}
	return nil
}

// slack is how many frames some files count that are not shown.
func slack(frames int) int { return max(2, frames/100) }

// mostHeld bounds the frames that a decoder holds at the end of a file, with those around them.
const mostHeld = 1 << 12

// heldStamps returns the time stamps of the frames behind the last one that OpenCV reported a stamp for, in their order.
func (r *Reader) heldStamps() []time.Duration {
	if r.path == "" || strings.Contains(r.path, "://") {
		return nil
	}
	path := C.CString(fileURL(r.path))
	defer C.free(unsafe.Pointer(path))
	at := make([]C.double, mostHeld)
	n := int(C.rn_video_stamps(path, C.double(r.last.Seconds()), &at[0], mostHeld))
	var stamps []time.Duration
	for _, v := range at[:n] {
		stamps = append(stamps, time.Duration(float64(v)*float64(time.Second)))
	}
	slices.Sort(stamps)
	return stamps
}
