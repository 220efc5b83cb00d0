package fetch

import (
	"errors"
	"net"
	"net/url"
)

// Reason returns why a file could not be fetched as a short text, such as "download.pytorch.org is not found: there may be no network". An error of
// another kind than the network's is returned as it is.
func Reason(err error) error {
	var name *net.DNSError
	if errors.As(err, &name) {
		return errors.New(name.Name + " is not found: there may be no network")
	}
	var request *url.Error
	var connection *net.OpError
	if !errors.As(err, &request) || !errors.As(err, &connection) {
		return err
	}
	host := request.URL
	if u, err := url.Parse(request.URL); err == nil {
		host = u.Host
	}
	if connection.Timeout() {
		return errors.New(host + " does not answer")
	}
	return errors.New(host + " cannot be reached")
}
