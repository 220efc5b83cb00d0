//go:build opencv

package video

// #cgo CXXFLAGS: -std=c++17
// #cgo pkg-config: opencv4
// #include "opencv.h"
import "C"

import (
	"errors"
	"strings"
)

// message is what OpenCV's functions say.
type message [C.RN_VIDEO_MESSAGE]C.char

// err is the message on one line, nil for an empty one.
func (m *message) err() error {
	text := strings.Join(strings.Fields(C.GoString(&m[0])), " ")
	if text == "" {
		return nil
	}
	return errors.New(text)
}
