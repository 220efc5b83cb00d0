package serve

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Limits of the fields of a form.
const (
	maxField   = 4 << 10 // bytes of a value
	maxIgnored = 20      // names in an answer
)

// fields are what a form has beside its image.
type fields struct {
	values  url.Values // of the parameters of detection
	ignored []string   // names of the others, quoted where they are no plain text
}

// join adds the fields to a query. What both have must be the same.
func (f fields) join(q url.Values) error {
	for name, v := range f.values {
		if q.Has(name) && !slices.Equal(q[name], v) {
			return refuse(http.StatusBadRequest, "query", "the form says %s=%.80q, the address %.80q: give it once", name, v[0], q.Get(name))
		}
		q[name] = v
	}
	return nil
}

// field reads a part that is no image.
func (s *Server) field(f *fields, part *multipart.Part) error {
	name := part.FormName()
	if !slices.Contains(detectParameters, name) {
		if name = strconv.QuoteToASCII(name[:min(len(name), 40)]); !strings.Contains(name, "\\") {
			name = strings.Trim(name, `"`)
		}
		if len(f.ignored) < maxIgnored && !slices.Contains(f.ignored, name) {
			f.ignored = append(f.ignored, name)
		}
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch {
	case err != nil:
		return s.unread(err)
	case len(b) > maxField:
		return refuse(http.StatusBadRequest, "query", "the field %s has more than %d bytes", name, maxField)
	}
	if f.values == nil {
		f.values = url.Values{}
	}
	f.values.Add(name, string(b))
	return nil
}

// form reads a form to its end: one image, and fields. Parts that are neither are passed over and named in the answer.
func (s *Server) form(r io.Reader, boundary string) (picture *body, f fields, err error) {
	form := newParts(r, boundary)
	defer func() {
		if err != nil && picture != nil {
			picture.release()
			picture = nil
		}
	}()
	for n := 0; ; n++ {
		part, err := form.next()
		switch {
		case errors.Is(err, io.EOF) && picture == nil:
			return nil, f, refuse(http.StatusBadRequest, "body", "the form has no part named image and no file")
		case errors.Is(err, io.EOF):
			// What follows the form is of no interest, but the connection is used again.
			if _, err := io.Copy(io.Discard, r); err != nil {
				return picture, f, s.unread(err)
			}
			return picture, f, nil
		case err != nil:
			return picture, f, s.unread(err)
		case n == maxParts:
			return picture, f, refuse(http.StatusBadRequest, "body", "the form has more than %d parts", maxParts)
		}
		switch isPicture := part.FormName() == "image" || part.FileName() != ""; {
		case !isPicture:
			err = s.field(&f, part)
		case picture == nil:
			picture, err = s.read(part, -1)
		default:
			if k, _ := io.ReadFull(part, make([]byte, 1)); k > 0 { // browsers send empty ones for files that were not chosen
				err = refuse(http.StatusBadRequest, "body", "the form has a second image, as the part %.40q: send a request for each", part.FormName())
			}
		}
		if err != nil {
			return picture, f, err
		}
	}
}
