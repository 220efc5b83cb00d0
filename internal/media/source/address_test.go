package source

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// The address of an image gives an image: its type decides, or its first bytes; everything else is a stream.
func TestAddresses(t *testing.T) {
	jpg := string(jpegBytes(t))
	for _, k := range []struct {
		name, path, kind, body string
		status                 int
		want                   string // image, stream, or a part of the error
	}{
		{"a JPEG", "/a.jpg", "image/jpeg", jpg, 200, "picture"},
		{"with a query", "/a.jpg?size=large&t=1,2", "image/jpeg", jpg, 200, "picture"},
		{"another ending", "/a.jfif", "image/jpeg", jpg, 200, "picture"},
		{"of a wrong type", "/a.jpg", "text/plain", jpg, 200, "picture"},
		{"without a type", "/a.png", "", jpg, 200, "picture"},
		{"a camera's image", "/cgi-bin/snapshot.cgi?channel=1", "image/jpeg", jpg, 200, "picture"},
		{"a camera's image of no type", "/snapshot", "application/octet-stream", jpg, 200, "picture"},
		{"the root", "/", "image/jpeg; charset=binary", jpg, 200, "picture"},
		{"no image there", "/a.jpg", "text/html", "<html>", 404, "404 Not Found"},
		{"not for all", "/a.jpg", "text/plain", "", 401, "401"},
		{"a page", "/a.jpg", "text/html", "<!doctype html><p>log in", 200, "web page"},
		{"a HEIC image", "/a.heic", "image/heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", 200, "HEIC"},
		{"an image that is cut", "/a.jpg", "image/jpeg", jpg[:len(jpg)/2], 200, "cut"},
		{"nothing", "/a.jpg", "image/jpeg", "", 200, "empty"},
		{"a stream of JPEGs", "/video", "multipart/x-mixed-replace; boundary=x", "--x\r\n", 200, "stream"},
		{"a video", "/video", "video/mp4", "\x00\x00\x00\x1cftypisom", 200, "stream"},
		{"a list", "/live.m3u8", "", "#EXTM3U", 200, "stream"},
		{"a video's name", "/a.mp4", "image/jpeg", jpg, 200, "stream"},
		{"a page without a name", "/live", "text/html", "<html>", 200, "stream"},
		{"no answer without a name", "/live", "text/html", "<html>", 503, "stream"},
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			if k.kind != "" {
				w.Header().Set("Content-Type", k.kind)
			}
			w.WriteHeader(k.status)
			fmt.Fprint(w, k.body)
		}))
		address := strings.Replace(server.URL, "http://", "http://me:secret@", 1) + k.path
		s, err := Open([]string{address}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		closed := 0
		s.open = func(in input) (reader, error) {
			return &film{format: video.Format{Frames: 2}, n: 2, closed: &closed}, nil
		}
		got, frames := "", 0
		for f := range s.Frames(context.Background()) {
			frames++
			switch {
			case f.Err != nil:
				got = f.Err.Error()
			case f.Video != nil:
				got = "stream"
			default:
				got = "picture"
				if f.Pic == nil || f.Pic.W != 20 || f.Pic.H != 10 || !strings.HasPrefix(f.Name, "127.0.0.1_") || strings.ContainsAny(f.Name, "/?:") {
					t.Errorf("%s: %+v", k.name, f)
				}
			}
			if strings.Contains(f.Path+got, "secret") {
				t.Errorf("%s: the password is in %s %s", k.name, f.Path, got)
			}
			release(f)
		}
		server.Close()
		if !strings.Contains(got, k.want) || k.want == "picture" && frames != 1 {
			t.Errorf("%s: %d frames: %s, want %s", k.name, frames, got, k.want)
		}
	}
	// An address that does not answer is an error with its name, and no other source.
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	s, err := Open([]string{dead.URL + "/a.jpg"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for f := range s.Frames(context.Background()) {
		if f.Err == nil || !strings.Contains(f.Err.Error(), dead.URL+"/a.jpg") || !strings.Contains(f.Err.Error(), "cannot be loaded") {
			t.Errorf("%+v", f)
		}
	}
}

// An image from an address takes no more memory than one of a file.
func TestLargeAddress(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		b := make([]byte, 1<<20)
		for n := int64(0); n < 2*picture.MaxMemory(); n += int64(len(b)) {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if testing.Short() {
		t.Skip("it takes memory")
	}
	s, _ := Open([]string{server.URL + "/a.jpg"}, Options{})
	for f := range s.Frames(context.Background()) {
		if f.Err == nil || !strings.Contains(f.Err.Error(), picture.MemoryVariable) {
			t.Errorf("%v", f.Err)
		}
	}
}
