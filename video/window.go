//go:build !nocv

package video

import (
	"runtime"

	"gocv.io/x/gocv"

	"retinago/picture"
)

// Window shows pictures. OpenCV wants all calls from one thread, which the window has for itself.
type Window struct {
	frames chan *picture.Picture
	open   chan bool // answers: false once it was closed or q or Escape was pressed
}

// NewWindow opens a window.
func NewWindow(title string) (*Window, error) {
	if err := display(); err != nil {
		return nil, err
	}
	w := &Window{frames: make(chan *picture.Picture), open: make(chan bool)}
	go w.run(title)
	return w, nil
}

func (w *Window) run(title string) {
	runtime.LockOSThread()
	win := gocv.NewWindow(title)
	defer win.Close()
	mat := gocv.NewMat()
	defer func() { mat.Close() }()
	for p := range w.frames {
		if mat.Cols() != p.W || mat.Rows() != p.H {
			mat.Close()
			mat = gocv.NewMatWithSize(p.H, p.W, gocv.MatTypeCV8UC3)
			win.ResizeWindow(p.W, p.H)
		}
		if bgr, err := mat.DataPtrUint8(); err == nil {
			p.BGR(bgr)
			win.IMShow(mat)
		}
		key := win.WaitKey(1)
		w.open <- key != 'q' && key != 27 && win.GetWindowProperty(gocv.WindowPropertyVisible) > 0
	}
	close(w.open)
}

// Show shows a picture, and tells whether the window is still wanted.
func (w *Window) Show(p *picture.Picture) bool {
	w.frames <- p
	return <-w.open
}

// Close closes the window.
func (w *Window) Close() {
	close(w.frames)
	<-w.open
}
