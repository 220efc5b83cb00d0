//go:build !nocv

package picture

import (
	"bytes"
	"errors"
	"image"
	_ "image/gif" // OpenCV 4.6 reads no GIF

	"gocv.io/x/gocv"
)

// Codec names what decodes pictures.
func Codec() string { return "libjpeg-turbo " + jpegVersion + ", OpenCV " + gocv.OpenCVVersion() }

// decode reads one picture as stored, without its rotation, its sides divided by denom (1, 2, 4 or 8) and rounded up.
func decode(b []byte, h header, denom int) (*Picture, error) {
	switch h.format {
	case "jpeg":
		p, err := decodeJPEG(b, h.w, h.h, denom)
		if !errors.Is(err, errColours) {
			return p, err
		}
	case "gif":
		m, _, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return FromImage(m).reduced(denom), nil
	}
	m, err := gocv.IMDecode(b, gocv.IMReadColor|gocv.IMReadIgnoreOrientation)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if m.Empty() {
		return nil, errors.New("OpenCV cannot decode it")
	}
	bgr, err := m.DataPtrUint8()
	if err != nil {
		return nil, err
	}
	return FromBGR(m.Cols(), m.Rows(), bgr).reduced(denom), nil
}
