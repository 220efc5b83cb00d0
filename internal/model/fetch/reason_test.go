package fetch

import (
	"errors"
	"net"
	"net/url"
	"os"
	"testing"
)

func TestReason(t *testing.T) {
	t.Parallel()
	request := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://files.local:81/a.pth", Err: err}
	}
	lookup := &net.DNSError{Err: "no such host", Name: "files.local", Server: "10.0.0.1:53"}
	for want, err := range map[string]error{
		"files.local is not found: there may be no network": request(&net.OpError{Op: "dial", Err: lookup}),
		"files.local:81 cannot be reached":                  request(&net.OpError{Op: "dial", Err: errors.New("connection refused")}),
		"files.local:81 does not answer":                    request(&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}),
		"the server answers 404 Not Found":                  errors.New("the server answers 404 Not Found"),
	} {
		if got := Reason(err); got.Error() != want {
			t.Errorf("%v: %v, want %s", err, got, want)
		}
	}
}
