package serve

import (
	"fmt"
	"io"
	"mime/multipart"
)

const (
	maxParts      = 1000     // of a form
	maxPartHeader = 16 << 10 // bytes of a part's header, roughly: the reader reads ahead
)

// parts reads a multipart body. mime/multipart alone would keep 10 MiB of headers for each part.
type parts struct {
	in  *multipart.Reader
	at  *fence
	now *multipart.Part
}

func newParts(r io.Reader, boundary string) *parts {
	at := &fence{r: r, left: -1}
	return &parts{in: multipart.NewReader(at, boundary), at: at}
}

// next passes over what is left of a part and returns the next; io.EOF at the end.
func (p *parts) next() (*multipart.Part, error) {
	if p.now != nil {
		if _, err := io.Copy(io.Discard, p.now); err != nil {
			return nil, err
		}
	}
	p.at.left = maxPartHeader
	part, err := p.in.NextRawPart()
	p.at.left = -1
	p.now = part
	return part, err
}

// fence lets so many bytes through, or all where left is negative.
type fence struct {
	r    io.Reader
	left int
}

func (f *fence) Read(b []byte) (int, error) {
	if f.left < 0 {
		return f.r.Read(b)
	}
	if f.left == 0 {
		return 0, fmt.Errorf("the header of a part has more than %d bytes", maxPartHeader)
	}
	n, err := f.r.Read(b[:min(len(b), f.left)])
	f.left -= n
	return n, err
}
