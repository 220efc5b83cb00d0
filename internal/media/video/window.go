//go:build opencv

package video

// #include <stdlib.h>
// #include "opencv.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"retinago/internal/media/picture"
)

// Window shows images. OpenCV requires all calls from one thread, which the window has for itself.
type Window struct {
	frames chan *picture.Picture
	shown  chan shown // answers
}

// shown is the result of showing an image: open is false once the window was closed or q or Escape was pressed.
type shown struct {
	open bool
	err  error
}

// NewWindow opens a window.
func NewWindow(title string) (*Window, error) {
	if err := display(); err != nil {
		return nil, err
	}
	w := &Window{frames: make(chan *picture.Picture), shown: make(chan shown)}
	go w.run(title)
	if v := <-w.shown; v.err != nil {
		close(w.frames)
		<-w.shown
		return nil, v.err
	}
	return w, nil
}

func (w *Window) run(title string) {
	runtime.LockOSThread()
	defer close(w.shown)
	name := C.CString(title)
	defer C.free(unsafe.Pointer(name))
	var text message
	answer := func(failed bool, open bool) {
		if failed {
			w.shown <- shown{err: fmt.Errorf("video: window %s: %w", title, text.err())}
			return
		}
		w.shown <- shown{open: open}
	}
	answer(C.rn_window_open(name, &text[0]) != 0, true)
	defer C.rn_window_close(name, &text[0])
	var bgr []uint8
	var width, height int
	for p := range w.frames {
		resize := C.int(0)
		if p.W != width || p.H != height {
			width, height, bgr, resize = p.W, p.H, make([]uint8, len(p.Pix)), 1
		}
		p.BGR(bgr)
		var key, visible C.int
		failed := C.rn_window_show(name, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bgr))), C.int(p.W), C.int(p.H), resize, &key, &visible, &text[0]) != 0
		answer(failed, key != 'q' && key != 27 && visible != 0)
	}
}

// Show shows an image, and reports whether the window is still open.
func (w *Window) Show(p *picture.Picture) (bool, error) {
	w.frames <- p
	v := <-w.shown
	return v.open, v.err
}

// Close closes the window.
func (w *Window) Close() {
	close(w.frames)
	<-w.shown
}
