package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"retinago/detector"
	"retinago/nms"
)

// choice is what a request's query asks for.
type choice struct {
	model    *model
	decoding detector.Decoding
	raw      bool          // candidates before NMS
	draw     bool          // the image with boxes, not JSON
	timeout  time.Duration // at most the server's
}

// Query parameters by route. All are in openapi.json.
var (
	detectParameters = []string{"model", "score", "nms", "method", "max", "classes", "raw", "format", "timeout"}
	streamParameters = []string{"model", "score", "nms", "method", "max", "classes", "format", "timeout"}
	socketParameters = []string{"model", "score", "nms", "method", "max", "classes", "raw", "timeout"}
	cameraParameters = []string{"camera"}
)

// maxObjects bounds the parameter max.
const maxObjects = 10000

// choose reads a query; the error names every mistake.
func (s *Server) choose(v url.Values, known []string) (choice, error) {
	if err := only(v, known); err != nil {
		return choice{}, err
	}
	m, err := s.model(v.Get("model"))
	if err != nil {
		return choice{}, err
	}
	c := choice{model: m, decoding: m.Network.Decoding(), timeout: s.o.Timeout}
	var wrong []string
	is := func(name string, set func(string) error) {
		if !v.Has(name) {
			return
		}
		if err := set(v.Get(name)); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s=%.80q: %v", name, v.Get(name), err))
		}
	}
	share := func(to *float32) func(string) error {
		return func(t string) error {
			f, err := strconv.ParseFloat(t, 32)
			if err != nil || !(f >= 0 && f <= 1) {
				return fmt.Errorf("give a number from 0 to 1")
			}
			*to = float32(f)
			return nil
		}
	}
	is("score", share(&c.decoding.Score))
	if v.Has("score") {
		c.decoding.Scores = common(c.decoding)
	}
	is("nms", share(&c.decoding.NMS))
	is("method", func(t string) error {
		c.decoding.Method = t
		return nms.Method{Kind: t}.Check()
	})
	is("max", func(t string) (err error) {
		if c.decoding.MaxDets, err = strconv.Atoi(t); err != nil || c.decoding.MaxDets < 1 || c.decoding.MaxDets > maxObjects {
			return fmt.Errorf("give a number from 1 to %d", maxObjects)
		}
		return nil
	})
	is("classes", func(t string) (err error) {
		c.decoding.Only, err = m.only(t)
		return err
	})
	is("raw", func(t string) (err error) {
		if c.raw, err = strconv.ParseBool(t); err != nil {
			return fmt.Errorf("give 0 or 1")
		}
		return nil
	})
	is("timeout", func(t string) error {
		d, err := time.ParseDuration(t)
		if err != nil || d <= 0 {
			return fmt.Errorf("give a time such as 500ms or 2s")
		}
		c.timeout = min(d, s.o.Timeout)
		return nil
	})
	is("format", func(t string) error {
		c.draw = t == "jpeg"
		if t != "jpeg" && t != "json" {
			return fmt.Errorf("there are json and jpeg")
		}
		return nil
	})
	if c.raw && c.draw {
		wrong = append(wrong, "raw candidates come as JSON, not with format=jpeg")
	}
	if len(wrong) > 0 {
		return choice{}, refuse(http.StatusBadRequest, "query", "%s", strings.Join(wrong, "; "))
	}
	return c, nil
}

// common returns lowest scores by class that are the common one, but for classes that the model does not report; nil where it reports all.
func common(d detector.Decoding) []float32 {
	if !slices.ContainsFunc(d.Scores, func(s float32) bool { return s > 1 }) {
		return nil
	}
	out := slices.Clone(d.Scores)
	for i, s := range out {
		if s <= 1 {
			out[i] = d.Score
		}
	}
	return out
}

// only refuses parameters that are unknown or repeated.
func only(v url.Values, known []string) error {
	for k, values := range v {
		if !slices.Contains(known, k) {
			return refuse(http.StatusBadRequest, "query", "there is no parameter %.40q; there are %s", k, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return refuse(http.StatusBadRequest, "query", "the parameter %s is there %d times", k, len(values))
		}
	}
	return nil
}

// drawn reports whether a request without the parameter format accepts an image before JSON, by its Accept header.
func drawn(r *http.Request) (bool, error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return false, nil
	}
	for kind := range strings.SplitSeq(accept, ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json", "application/*", "*/*":
			return false, nil
		case "image/jpeg", "image/*":
			return true, nil
		}
	}
	return false, refuse(http.StatusNotAcceptable, "accept", "there are application/json and image/jpeg")
}
