package serve

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
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
	ctx, stop := context.WithTimeout(r.Context(), c.timeout)
	defer stop()
	p, err := c.model.queue.enter(c.timeout)
	if err != nil {
		return nil, false, err
	}
	defer p.leave()
	a, err = s.look(ctx, p, Frame{File: b.b}, c)
	return a, c.draw, err
}

// receive reads the picture of a request: its body, or the part of a form that is named image, or else is a file. The body is
// read to its end.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (b *body, err error) {
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

// part reads the picture of a form, and passes over the rest.
func (s *Server) part(r io.Reader, boundary string) (*body, error) {
	form := multipart.NewReader(r, boundary)
	for {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, refuse(http.StatusBadRequest, "body", "the form has no part named image and no file")
		}
		if err != nil {
			return nil, s.unread(err)
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
