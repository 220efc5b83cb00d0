package video

import "strings"

// Public is an address without its password.
func Public(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	i := strings.LastIndex(host, "@")
	if i < 0 {
		return address
	}
	return scheme + "://***" + rest[i:len(host)] + strings.TrimSuffix("/"+path, "/")
}
