package serve

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strconv"
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
		if a.More > 0 {
			w.Header().Set(furtherHeader, strconv.Itoa(a.More))
		}
		if len(a.Ignored) > 0 {
			w.Header().Set(ignoredHeader, strings.Join(a.Ignored, ", "))
		}
		s.send(w, http.StatusOK, a.jpeg)
		return
	}
	s.write(w, http.StatusOK, a)
}

// Headers of an answer that is an image, for what JSON has as further_pages and ignored_fields.
const (
	furtherHeader = "Retinago-Further-Pages"
	ignoredHeader = "Retinago-Ignored-Fields"
)

func (s *Server) detection(w http.ResponseWriter, r *http.Request) (a *Answer, draw bool, err error) {
	q := r.URL.Query()
	c, err := s.choice(r, q)
	if err != nil {
		return nil, false, err
	}
	if err := c.model.queue.peek(c.timeout); err != nil {
		return nil, false, err
	}
	b, fields, err := s.receive(w, r)
	if err != nil {
		return nil, false, err
	}
	defer b.release()
	if len(fields.values) > 0 { // as the query, which has come before
		if err := fields.join(q); err != nil {
			return nil, false, err
		}
		if c, err = s.choice(r, q); err != nil {
			return nil, false, err
		}
	}
	a, err = s.answer(r.Context(), Frame{File: b.b}, c)
	if err != nil {
		return nil, false, hinted(err, r.Header.Get("Content-Type"), b.b)
	}
	a.Ignored = fields.ignored
	return a, c.draw, nil
}

// choice is choose for a request, which may accept an image instead of JSON.
func (s *Server) choice(r *http.Request, q url.Values) (choice, error) {
	c, err := s.choose(q, detectParameters)
	if err == nil && !q.Has("format") && !c.raw {
		c.draw, err = drawn(r)
	}
	return c, err
}

// answer takes a place and detects objects in an image within its timeout. A panic is an error of this image.
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

// receive reads the image of a request: its body, or the part of a form with the name image or a file name. The body is read to its
// end.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (b *body, fields fields, err error) {
	if err := plain(r); err != nil {
		return nil, fields, err
	}
	if r.ContentLength > s.o.MaxBody {
		return nil, fields, tooLarge(s.o.MaxBody)
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
		return nil, fields, refuse(http.StatusBadRequest, "body", "the form's Content-Type names no boundary")
	} else {
		b, fields, err = s.form(http.MaxBytesReader(w, r.Body, s.o.MaxBody), params["boundary"])
	}
	if err == nil && len(b.b) == 0 {
		b.release()
		return nil, fields, refuse(http.StatusBadRequest, "body", "the body is empty: send the bytes of an image")
	}
	return b, fields, err
}

// plain refuses bodies with a Content-Encoding.
func plain(r *http.Request) error {
	if v := r.Header.Get("Content-Encoding"); v != "" && !strings.EqualFold(v, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "encoding", "the Content-Encoding is %.40q: send the bytes as they are", v)
	}
	return nil
}
