package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"retinago/internal/media/picture"
)

// Limits of an image that is loaded from an address, besides picture.MaxMemory bytes.
const (
	answerTime = 20 * time.Second // until the server answers
	loadTime   = time.Minute      // until the image is there
)

// lists are endings of addresses that are lists of parts of a video.
var lists = []string{".m3u8", ".m3u", ".mpd", ".sdp", ".ism"}

// local is the path of a file:// address, and any other name as it is.
func local(name string) string {
	u, err := url.Parse(name)
	if err != nil || !strings.EqualFold(u.Scheme, "file") || u.Host != "" && u.Host != "localhost" || u.Path == "" {
		return name
	}
	return u.Path
}

// webPath is the path of an address that may be an image's; ok is false for other addresses, and for those that name a video.
func webPath(address string) (p string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") {
		return "", false
	}
	e := strings.ToLower(path.Ext(u.Path))
	for _, l := range lists {
		if e == l {
			return "", false
		}
	}
	return u.Path, kindOf(u.Path) != isVideo
}

// load loads the image of an address. Without an error and without an image the address is that of a stream: the type of what comes
// decides, or its first bytes.
func (s *Set) load(ctx context.Context, address string) (*picture.Picture, error) {
	at, ok := webPath(address)
	if !ok {
		return nil, nil
	}
	ctx, stop := context.WithTimeout(ctx, loadTime)
	defer stop()
	slow := time.AfterFunc(answerTime, stop)
	defer slow.Stop()
	named := kindOf(at) == isPicture || kindOf(at) == isUnread
	b, err := download(ctx, address, named, slow)
	if err == nil && b == nil || err != nil && !named {
		return nil, nil // what reads streams says what is wrong
	}
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address, which may have a password
		}
		if ctx.Err() != nil {
			err = errors.New("it did not come in time")
		}
		return nil, fmt.Errorf("it cannot be loaded: %w", err)
	}
	return picture.DecodeBytes("what it gives", b)
}

// download returns the bytes of an image, nil where an address whose name is no image's gives something else.
func download(ctx context.Context, address string, named bool, slow *time.Timer) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "image/jpeg,image/png,image/webp,image/tiff,image/gif,image/bmp,*/*;q=0.5")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	slow.Stop()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s: check the address", answer.Status)
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	group, _, _ := strings.Cut(kind, "/")
	if group == "multipart" || group == "video" || group == "audio" {
		return nil, nil
	}
	var begin []byte
	if group != "image" && !named {
		begin = make([]byte, 512)
		n, err := io.ReadFull(answer.Body, begin)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		begin = begin[:n]
		if _, pixels := picture.Foreign(begin); !pixels && !picture.Known(begin) {
			return nil, nil
		}
	}
	most := picture.MaxMemory()
	b, err := io.ReadAll(io.MultiReader(bytes.NewReader(begin), io.LimitReader(answer.Body, most+1)))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than the %d MiB of %s", most>>20, picture.MemoryVariable)
	}
	return b, err
}
