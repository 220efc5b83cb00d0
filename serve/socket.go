package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// socketProtocol is what a client names besides the protocol that carries its token: a server must choose one.
const socketProtocol = "retinago"

// reply is a frame's answer: an answer or a problem.
type reply struct {
	Frame int `json:"frame"` // from 1
	*Answer
	Error *problem `json:"error,omitempty"`
}

// socket takes images as binary messages and answers each with one message of JSON. A frame that gets no place is answered
// with the problem, and the next may be sent. A client that sends each frame after the answer to the one before
// never has a frame waiting.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	c, err := s.choose(r.URL.Query(), socketParameters)
	if err != nil {
		s.fail(w, err)
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		s.fail(w, refuse(http.StatusUpgradeRequired, "upgrade", "this is for WebSockets"))
		return
	}
	s.streams.Add(1)
	defer s.streams.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{socketProtocol}, InsecureSkipVerify: true}) // crosses has checked the origin
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1) // read has the limit
	var working sync.Mutex
	defer context.AfterFunc(s.stop, func() {
		working.Lock() // a frame that has arrived is answered first
		defer working.Unlock()
		conn.Close(websocket.StatusGoingAway, "the server stops")
	})()
	for n := 1; s.exchange(r.Context(), conn, n, c, &working); n++ {
	}
}

// exchange reads a frame and answers it, and reports whether another may follow.
func (s *Server) exchange(ctx context.Context, conn *websocket.Conn, n int, c choice, working *sync.Mutex) bool {
	within, stop := context.WithTimeout(context.Background(), s.o.BodyTimeout)
	defer stop()
	kind, frame, err := conn.Reader(within)
	if err != nil {
		return false
	}
	working.Lock()
	defer working.Unlock()
	var b *body
	unread := error(refuse(http.StatusUnsupportedMediaType, "format", "send images as binary messages"))
	if kind == websocket.MessageBinary {
		b, unread = s.read(frame, -1)
	}
	stop()
	v := s.reply(ctx, n, b, unread, c, "socket")
	if s.message(conn, v) != nil {
		return false
	}
	if unread != nil { // the rest of the message is still to come
		conn.Close(websocket.StatusPolicyViolation, v.Error.Code)
	}
	return unread == nil
}

// message sends a reply.
func (s *Server) message(conn *websocket.Conn, v reply) error {
	js, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("serve", "error", err)
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), s.o.WriteTimeout)
	defer stop()
	return conn.Write(ctx, websocket.MessageText, js)
}

// reply detects objects in a frame of a stream, or returns why it could not be read.
func (s *Server) reply(ctx context.Context, n int, b *body, unread error, c choice, kind string) reply {
	v := reply{Frame: n}
	err := unread
	if err == nil {
		defer b.release()
		v.Answer, err = s.frame(ctx, Frame{File: b.b}, c, kind)
	}
	if err != nil {
		v.Answer, v.Error = nil, s.asProblem(err)
	}
	return v
}

// frame detects objects in a frame and counts it.
func (s *Server) frame(ctx context.Context, f Frame, c choice, kind string) (a *Answer, err error) {
	defer func() { s.metrics.frame(kind, err) }()
	return s.answer(ctx, f, c)
}
