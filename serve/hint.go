package serve

import (
	"bytes"
	"errors"
	"mime"
	"strings"
)

// hinted adds to the problem of an image that could not be read how it may have been sent, by the request's Content-Type and its body.
func hinted(err error, contentType string, b []byte) error {
	var p *problem
	if !errors.As(err, &p) || p.Code != "format" && p.Code != "picture" {
		return err
	}
	how := ""
	kind, _, _ := mime.ParseMediaType(contentType)
	begin := bytes.TrimSpace(b[:min(len(b), 200)])
	switch {
	case bytes.HasPrefix(begin, []byte("data:image/")), bytes.HasPrefix(begin, []byte("/9j/")), bytes.HasPrefix(begin, []byte("iVBORw0KGgo")):
		how = "the body is base64: send the bytes of the image themselves"
	case kind == "application/json" || strings.HasSuffix(kind, "+json") || bytes.HasPrefix(begin, []byte("{")):
		how = "the body is JSON: send the bytes of the image themselves, or a form with the part image"
	case bytes.HasPrefix(begin, []byte("--")) && bytes.Contains(begin, []byte("form-data")):
		how = "the body is a form, of another Content-Type: leave the header to the client, which adds the boundary"
	case bytes.HasPrefix(begin, []byte("http://")), bytes.HasPrefix(begin, []byte("https://")):
		how = "the body is an address: send the bytes of the image"
	case bytes.HasPrefix(begin, []byte("@")):
		how = "the body is the name of a file: curl reads the file with --data-binary @FILE"
	case kind == "application/x-www-form-urlencoded":
		how = "curl -d sends a form, without the newlines and zero bytes of a file: use --data-binary @FILE, -T FILE -X POST or -F image=@FILE"
	default:
		return err
	}
	more := *p
	more.Message += "; " + how
	return &more
}
