package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// frames read the JPEGs of MJPEG: the parts of a multipart body. (RFC 2046, section 5.1; cameras and ffmpeg's mpjpeg send it as
// multipart/x-mixed-replace.)
type frames struct{ parts *parts }

func newFrames(contentType string, r io.Reader) (*frames, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return nil, notMJPEG(contentType)
	}
	// Many cameras count the hyphens that begin a delimiter as part of the boundary.
	return &frames{newParts(r, strings.TrimPrefix(params["boundary"], "--"))}, nil
}

// notMJPEG is the error of a Content-Type other than MJPEG's.
type notMJPEG string

func (n notMJPEG) Error() string {
	return fmt.Sprintf("the Content-Type is %q: MJPEG has multipart/x-mixed-replace with a boundary", string(n))
}

// next returns a frame and its size, -1 if unknown; io.EOF at the end.
func (f *frames) next() (io.Reader, int64, error) {
	part, err := f.parts.next()
	if err != nil {
		return nil, 0, err
	}
	size, err := strconv.ParseInt(part.Header.Get("Content-Length"), 10, 64)
	if err != nil || size < 1 {
		return part, -1, nil
	}
	return io.LimitReader(part, size), size, nil // the frame ends here, and not when the next begins
}

// boundary of the streams that the server sends.
const (
	boundary  = "retinago-frame"
	delimiter = "--" + boundary + "\r\n"
)

// begin sends a stream's header and, of MJPEG, the first delimiter.
func (s *Server) begin(w http.ResponseWriter, draw bool) error {
	s.writeBy(w)
	if draw {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
		if _, err := io.WriteString(w, delimiter); err != nil {
			return err
		}
	} else {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w).Flush()
}

// postStream reads MJPEG and answers each frame as it arrives, with MJPEG or lines of JSON.
func (s *Server) postStream(w http.ResponseWriter, r *http.Request) {
	c, err := s.choose(r.URL.Query(), streamParameters)
	if err != nil {
		s.fail(w, err)
		return
	}
	c.draw = r.URL.Query().Get("format") != "json"
	if err := plain(r); err != nil {
		s.fail(w, err)
		return
	}
	in, err := newFrames(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		s.fail(w, refuse(http.StatusUnsupportedMediaType, "format", "%v", err))
		return
	}
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Connection", "close")
	if err := s.begin(w, c.draw); err != nil {
		return
	}
	// The rest of the body is not awaited, and no request follows on this connection.
	defer func() { control.SetReadDeadline(time.Now()) }()
	for n := 1; s.stop.Err() == nil; n++ {
		control.SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
		frame, size, err := in.next()
		if err != nil { // the end, or a sender who is gone or slow
			return
		}
		b, unread := s.read(frame, size)
		control.SetReadDeadline(time.Time{}) // if it passed during detection, it would end the request
		if err := s.sendFrame(w, c.draw, s.reply(r.Context(), n, b, unread, c, "stream")); err != nil || unread != nil {
			return
		}
	}
}

// sendFrame writes one part or line. MJPEG leaves out a frame with a problem, and a frame beyond the budget of answers that are being
// sent.
func (s *Server) sendFrame(w http.ResponseWriter, draw bool, v reply) error {
	s.writeBy(w)
	if draw {
		if v.Answer == nil {
			return nil
		}
		if n := int64(cap(v.jpeg)); n > smallAnswer {
			if !s.answers.take(n) {
				return nil
			}
			defer s.answers.give(n)
		}
		if err := writePart(w, v.jpeg); err != nil {
			return err
		}
	} else {
		js, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(js, '\n')); err != nil {
			return err
		}
	}
	return http.NewResponseController(w).Flush()
}

// writePart writes a frame of MJPEG after the delimiter before it, with the one that ends it: the receiver need not wait for the
// next to show this one.
func writePart(w io.Writer, jpeg []byte) error {
	_, err := fmt.Fprintf(w, "Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"+delimiter, len(jpeg), jpeg)
	return err
}

// getStream sends the frames of one of the server's cameras.
func (s *Server) getStream(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if err := only(q, cameraParameters); err != nil {
		s.fail(w, err)
		return
	}
	c := s.cameras[q.Get("camera")]
	if c == nil {
		s.fail(w, refuse(http.StatusNotFound, "camera", "there is no camera %.80q", q.Get("camera")))
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Time{})
	if err := s.begin(w, true); err != nil {
		return
	}
	c.watch()
	defer c.unwatch()
	for v := c.coming(); ; {
		select {
		case <-r.Context().Done():
			return
		case <-s.stop.Done():
			return
		case <-v.done:
		}
		jpeg := v.jpeg
		v = c.coming()
		s.writeBy(w)
		if writePart(w, jpeg) != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
	}
}
