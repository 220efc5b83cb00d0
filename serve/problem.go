package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"retinago/engine"
)

// problem is the reason why a request is refused, as sent to the client.
type problem struct {
	Code    string `json:"code"` // one word
	Message string `json:"message"`
	status  int
	retry   time.Duration // after which the request may be sent again; 0 is never
}

func (p *problem) Error() string { return p.Message }

// refuse makes a problem. Codes are those of openapi.json.
func refuse(status int, code, format string, a ...any) *problem {
	return &problem{Code: code, Message: fmt.Sprintf(format, a...), status: status}
}

// busy refuses for now.
func busy(retry time.Duration, format string, a ...any) *problem {
	p := refuse(http.StatusTooManyRequests, "busy", format, a...)
	p.retry = max(retry, time.Second)
	return p
}

// asProblem returns the problem that the client gets for an error. Details of the server's own faults are only logged.
func (s *Server) asProblem(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, context.DeadlineExceeded):
		p = refuse(http.StatusServiceUnavailable, "timeout", "the time of the request passed before its turn came")
		p.retry = time.Second
	case errors.Is(err, context.Canceled): // by the client, which is gone
		p = refuse(499, "gone", "the request was given up")
	case errors.Is(err, engine.ErrMemory): // of the host or of its control group, which other programs use too
		s.o.Log.Error("serve", "error", err)
		p = refuse(http.StatusServiceUnavailable, "memory", "there is too little memory for this image now; the server's log says how much it takes")
		p.retry = time.Second
	case errors.As(err, new(panicked)): // caught has logged it
		p = internal()
	default:
		s.o.Log.Error("serve", "error", err)
		p = internal()
	}
	return p
}

// internal is the problem of all faults of the server's own.
func internal() *problem {
	return refuse(http.StatusInternalServerError, "internal", "the server failed; its log says why")
}

// fail answers with a problem.
func (s *Server) fail(w http.ResponseWriter, err error) {
	p := s.asProblem(err)
	if p.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retry.Seconds()))))
	}
	s.write(w, p.status, fault{p})
}

// fault is the JSON of a problem.
type fault struct {
	Error *problem `json:"error"`
}

// write answers with JSON.
func (s *Server) write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("serve", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"the server failed; its log says why"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	s.send(w, status, append(b, '\n'))
}

// smallAnswer is the size in bytes up to which an answer does not count, since the buffer of a socket holds as much.
const smallAnswer = 64 << 10

// send writes an answer and sets the length in its header. A large answer counts against the budget until the client has received it.
func (s *Server) send(w http.ResponseWriter, status int, b []byte) {
	if n := int64(cap(b)); len(b) > smallAnswer {
		if !s.answers.take(n) {
			s.fail(w, busy(time.Second, "too many answers wait for their receivers"))
			return
		}
		defer s.answers.give(n)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	s.writeBy(w)
	w.WriteHeader(status)
	w.Write(b) // an error means that the client is gone
}

// writeBy gives what is written next its time. Writers of tests have no deadlines.
func (s *Server) writeBy(w http.ResponseWriter) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.o.WriteTimeout))
}
