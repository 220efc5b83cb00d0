//go:build opencv || libjpeg

package picture

import (
	"bytes"
	"image/jpeg"
	"strings"
	"testing"
)

// What libjpeg writes is what Go reads.
func TestEncodeJPEG(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {3, 50}, {64, 48}} {
		p := gradient(s[0], s[1])
		b := encode(t, func(b *bytes.Buffer) error { return encodeJPEG(b, p, 98) })
		m, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if d := farthest(p, FromImage(m)); d > 24 { // colour has half the resolution
			t.Errorf("%v: a pixel is off by %d", s, d)
		}
	}
	if err := encodeJPEG(new(bytes.Buffer), New(70000, 1), 90); err == nil || !strings.Contains(err.Error(), "libjpeg") {
		t.Errorf("more than a JPEG can hold: %v", err)
	}
}
