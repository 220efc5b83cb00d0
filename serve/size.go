package serve

import (
	"errors"
	"fmt"
	"image"
	"net/http"

	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// size returns the size of an image, by its header if it is a file, and the bytes that it takes until it is on its canvas, without the
// bytes of the file.
func (s *Server) size(f Frame, target picture.Target) (w, h int, bytes int64, err error) {
	var head picture.Header
	if f.Pic != nil {
		w, h, bytes = f.Pic.W, f.Pic.H, int64(len(f.Pic.Pix))
	} else {
		if head, err = picture.Probe("the body", f.File); err == nil {
			w, h, bytes = head.W, head.H, head.Bytes(target)-int64(len(f.File))
		}
	}
	switch {
	case errors.Is(err, image.ErrFormat):
		what, _ := picture.Foreign(f.File)
		if what == "" {
			what = "send a JPEG, PNG, GIF, BMP, TIFF or WebP"
		}
		return 0, 0, 0, refuse(http.StatusUnsupportedMediaType, "format", "unsupported format: %s", what)
	case err != nil:
		return 0, 0, 0, refuse(http.StatusBadRequest, "picture", "%v", err)
	case w < 1 || h < 1:
		return 0, 0, 0, refuse(http.StatusBadRequest, "picture", "the image's header says %dx%d pixels", w, h)
	case int64(w)*int64(h) > int64(s.o.MaxPixels) || int64(w) > int64(s.o.MaxPixels):
		return 0, 0, 0, refuse(http.StatusRequestEntityTooLarge, "pixels", "the image has %dx%d pixels, more than the %.3g million that are taken", w, h, float64(s.o.MaxPixels)/1e6)
	}
	if f.Pic == nil {
		if err := head.Check(target); err != nil {
			return 0, 0, 0, undecoded(fmt.Errorf("the body: %w", err))
		}
	}
	return w, h, bytes, nil
}

// undecoded returns the problem of an image that cannot be decoded or is refused.
func undecoded(err error) *problem {
	if errors.Is(err, picture.ErrTooMuch) {
		return refuse(http.StatusRequestEntityTooLarge, "pixels", "%v", err)
	}
	return refuse(http.StatusBadRequest, "picture", "%v", err)
}

// target returns the size at which a choice needs an image, nil for the whole, which drawing needs.
func (c choice) target() picture.Target {
	if c.draw {
		return nil
	}
	cfg := c.model.Network.Info().Config.Data
	return data.Target(cfg, cfg.TestSide())
}
