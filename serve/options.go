package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"net"
	"regexp"
	"time"

	"retinago/detector"
	"retinago/infer"
	"retinago/internal/media/picture"
)

// Network is a model as a server uses it; *infer.Predictor implements it.
type Network interface {
	Info() detector.Info
	Decoding() detector.Decoding
	Prepare(pic *infer.Picture, size infer.Size) (*infer.Input, error)
	Forward(ctx context.Context, in []*infer.Input) (*infer.Outputs, error)
}

var _ Network = (*infer.Predictor)(nil)

// Model is a network with the name that requests use.
type Model struct {
	Name    string
	Network Network
}

// Defaults of Options.
const (
	Delay   = 5 * time.Millisecond
	Timeout = 30 * time.Second
	Drain   = 30 * time.Second
)

// Options configures a Server. Zero values take the defaults in brackets.
type Options struct {
	Models  []Model           // the first answers requests that name none
	Cameras map[string]Camera // by the names that requests use
	Tokens  []string          // a request must carry one of them; without tokens every request is admitted

	// Hosts are the names that requests may be addressed to, by their Host header, besides localhost and IP addresses. *.NAME
	// stands for all names that end with .NAME, * for every name. Without Hosts, Serve checks the header only on a loopback
	// address without tokens: it refuses other names, which pages of other sites may have pointed at it (DNS rebinding).
	Hosts []string
	// Origins are the origins of pages, as SCHEME://HOST[:PORT], that may send requests, open sockets and read the answers.
	Origins []string

	Queue int           // images between body and answer, per model [32]
	Batch int           // images that go through the network together at most, taken down to a power of two [4]
	Delay time.Duration // that an image waits at most for another that is being decoded [5ms]

	MaxBody         int64 // bytes of a body, or of a frame of a stream [16 MiB]
	MaxPixels       int   // of an image [36 million]
	MaxConns        int   // connections; more are answered 503 and closed [1024]
	MaxConnsAddress int   // of them, from one IPv4 address or one /64 of IPv6 [half of MaxConns]

	Timeout      time.Duration // from the whole body to the answer; requests may ask for less [30s]
	BodyTimeout  time.Duration // that a body, or the next frame of a stream, may take to come [15s]
	WriteTimeout time.Duration // that an answer, or a frame, may take to go [15s]

	Grace time.Duration // from the call to stop, when /readyz turns to 503, until no connection is accepted [0]
	Drain time.Duration // after it, for what was accepted [30s]

	Health net.Listener // where Serve also answers /healthz, /readyz and /metrics, until it returns and closes it [none]

	Log *slog.Logger // of faults [none]
}

// nameForm is that of models and cameras.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// fill sets the defaults and refuses invalid options.
func (o *Options) fill() error {
	for _, d := range []struct {
		v   *int
		def int
	}{{&o.Queue, 32}, {&o.Batch, 4}, {&o.MaxPixels, 36e6}, {&o.MaxConns, 1024}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&o.Delay, Delay}, {&o.Timeout, Timeout}, {&o.BodyTimeout, 15 * time.Second},
		{&o.WriteTimeout, 15 * time.Second}, {&o.Drain, Drain}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if o.MaxConnsAddress == 0 {
		o.MaxConnsAddress = max(o.MaxConns/2, 1)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 16 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	refuse := func(bad bool, format string, a ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("serve: "+format, a...))
		}
	}
	refuse(len(o.Models) == 0, "no models")
	refuse(o.Queue < 1 || o.Batch < 1 || o.MaxBody < 1 || o.MaxConns < 1 || o.MaxConnsAddress < 1, "queue %d, batch %d, %d bytes, %d connections, %d of an address: each must be at least 1", o.Queue, o.Batch, o.MaxBody, o.MaxConns, o.MaxConnsAddress)
	refuse(o.MaxPixels < 1 || o.MaxPixels > picture.MaxPixels, "%d pixels: give 1 to %d", o.MaxPixels, picture.MaxPixels)
	refuse(o.Delay < 0 || o.Timeout < 0 || o.BodyTimeout < 0 || o.WriteTimeout < 0 || o.Grace < 0 || o.Drain < 0, "a time is negative")
	seen := map[string]bool{}
	for _, m := range o.Models {
		refuse(!nameForm.MatchString(m.Name), "model %q: a name is of up to 64 letters, digits, dots, hyphens and underscores", m.Name)
		refuse(seen[m.Name], "two models are called %q", m.Name)
		seen[m.Name] = true
	}
	for name := range o.Cameras {
		refuse(!nameForm.MatchString(name), "camera %q: a name is of up to 64 letters, digits, dots, hyphens and underscores", name)
	}
	for _, t := range o.Tokens {
		refuse(len(t) < 8, "a token of %d characters: give at least 8", len(t))
	}
	for _, h := range o.Hosts {
		refuse(!hostForm.MatchString(h), "host %q: give a name such as cams.example.org, *.example.org or *, without scheme, port or path", h)
	}
	for _, v := range o.Origins {
		if err := checkOrigin(v); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	o.Batch = 1 << (bits.Len(uint(o.Batch)) - 1)
	return nil
}
