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
func Codec() string { return "OpenCV " + gocv.OpenCVVersion() }

// decode reads one picture as stored, without its rotation.
func decode(b []byte) (*Picture, error) {
	if bytes.HasPrefix(b, []byte("GIF8")) {
		m, _, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return FromImage(m), nil
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
	p := New(m.Cols(), m.Rows())
	for i := 0; i+2 < len(p.Pix); i += 3 {
		p.Pix[i], p.Pix[i+1], p.Pix[i+2] = bgr[i+2], bgr[i+1], bgr[i]
	}
	return p, nil
}
