package serve

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// detect answers POST /v1/detect.
func (s *Server) detect(w http.ResponseWriter, r *http.Request) {
	a, draw, err := s.detection(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	if draw {
		w.Header().Set("Content-Type", "image/jpeg")
		s.send(w, http.StatusOK, a.jpeg)
		return
	}
	s.write(w, http.StatusOK, a)
}

func (s *Server) detection(w http.ResponseWriter, r *http.Request) (a *Answer, draw bool, err error) {
	c, err := s.choose(r.URL.Query(), detectParameters)
	if err != nil {
		return nil, false, err
	}
	if !r.URL.Query().Has("format") && !c.raw {
		if c.draw, err = drawn(r); err != nil {
			return nil, false, err
		}
	}
	if err := c.model.queue.peek(c.timeout); err != nil {
		return nil, false, err
	}
	b, err := s.receive(w, r)
	if err != nil {
		return nil, false, err
	}
	defer b.release()
	a, err = s.answer(r.Context(), Frame{File: b.b}, c)
	return a, c.draw, err
}

// answer takes a place and detects objects in a picture within its timeout. A panic is an error of this picture.
func (s *Server) answer(ctx context.Context, f Frame, c choice) (a *Answer, err error) {
	p, err := c.model.queue.enter(c.timeout)
	if err != nil {
		return nil, err
	}
	defer p.leave()
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	defer func() {
		if v := recover(); v != nil {
			a, err = nil, s.panics.caught(v, "model", c.model.Name)
		}
		s.progress.ended(p.since, c.timeout, s.o.Timeout, err)
	}()
	return s.process(ctx, p, f, c)
}

// receive reads the picture of a request: its body, or the part of a form with the name image or a file name. The body is read to its
// end.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (b *body, err error) {
	if err := plain(r); err != nil {
		return nil, err
	}
	if r.ContentLength > s.o.MaxBody {
		return nil, tooLarge(s.o.MaxBody)
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	defer func() {
		if err == nil { // the deadline must not outlast the body: passing later, it would end the request
			control.SetReadDeadline(time.Time{})
		} else { // for what the server reads to keep the connection
			control.SetReadDeadline(time.Now().Add(time.Second))
		}
	}()
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		b, err = s.read(r.Body, r.ContentLength)
	} else if err != nil || params["boundary"] == "" {
		return nil, refuse(http.StatusBadRequest, "body", "the form's Content-Type names no boundary")
	} else {
		b, err = s.part(http.MaxBytesReader(w, r.Body, s.o.MaxBody), params["boundary"])
	}
	if err == nil && len(b.b) == 0 {
		b.release()
		return nil, refuse(http.StatusBadRequest, "body", "the body is empty: send the bytes of a picture")
	}
	return b, err
}

// plain refuses bodies with a Content-Encoding.
func plain(r *http.Request) error {
	if v := r.Header.Get("Content-Encoding"); v != "" && !strings.EqualFold(v, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "encoding", "the Content-Encoding is %.40q: send the bytes as they are", v)
	}
	return nil
}

// part reads the picture of a form and skips the other parts.
func (s *Server) part(r io.Reader, boundary string) (*body, error) {
	form := newParts(r, boundary)
	for n := 0; ; n++ {
		part, err := form.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, refuse(http.StatusBadRequest, "body", "the form has no part named image and no file")
		case err != nil:
			return nil, s.unread(err)
		case n == maxParts:
			return nil, refuse(http.StatusBadRequest, "body", "the form has more than %d parts before a picture", maxParts)
		}
		if part.FormName() != "image" && part.FileName() == "" {
			continue
		}
		b, err := s.read(part, -1)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.release()
			return nil, s.unread(err)
		}
		return b, nil
	}
}
