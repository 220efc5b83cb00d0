package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// tokenProtocol begins the WebSocket protocol that carries a token in base64url, for browsers, which cannot set headers there.
const tokenProtocol = "bearer."

// allowed reports whether a request has one of the tokens. It compares the digests of all tokens in constant time, so that the time
// reveals neither the length nor a similar token.
func (s *Server) allowed(r *http.Request) bool {
	if len(s.tokens) == 0 {
		return true
	}
	var given string
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	} else {
		for p := range strings.SplitSeq(r.Header.Get("Sec-WebSocket-Protocol"), ",") {
			if coded, ok := strings.CutPrefix(strings.TrimSpace(p), tokenProtocol); ok {
				b, err := base64.RawURLEncoding.DecodeString(coded)
				if err == nil {
					given = string(b)
				}
			}
		}
	}
	digest := sha256.Sum256([]byte(given))
	same := 0
	for _, t := range s.tokens {
		same |= subtle.ConstantTimeCompare(digest[:], t[:])
	}
	return same == 1
}
