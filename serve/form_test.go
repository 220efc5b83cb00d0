package serve

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"mime/multipart"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
)

// formPart is a part of a form: a file where it has a file name.
type formPart struct{ name, file, content string }

// formOf is a form's body and its Content-Type.
func formOf(t *testing.T, parts []formPart) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.file != "" {
			h.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q; filename=%q", p.name, p.file))
		}
		to, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write([]byte(p.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

// Fields of a form are parameters wherever they stand; a second image is refused; what is passed over is named.
func TestFormFields(t *testing.T) {
	s := newServer(t, Options{})
	pic := string(noise(t, 64, 48))
	img := formPart{"image", "a.jpg", pic}
	all := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect?score=0.0001", []byte(pic)))
	if len(all.Detections) < 3 {
		t.Fatalf("%d objects", len(all.Detections))
	}
	for _, k := range []struct {
		name, query string
		parts       []formPart
		status      int
		objects     int    // at most; -1 is all
		ignored     string // with commas between
		says        string // part of the error
	}{
		{"an image", "?score=0.0001", []formPart{img}, 200, -1, "", ""},
		{"a score behind it", "", []formPart{img, {"score", "", "0.0001"}}, 200, -1, "", ""},
		{"a score before it", "", []formPart{{"score", "", "0.0001"}, img}, 200, -1, "", ""},
		{"a number of objects", "?score=0.0001", []formPart{img, {"max", "", "2"}}, 200, 2, "", ""},
		{"a high score", "", []formPart{img, {"score", "", "1"}}, 200, 0, "", ""},
		{"the same twice over", "?score=1", []formPart{img, {"score", "", "1"}}, 200, 0, "", ""},
		{"something else twice over", "?score=1", []formPart{img, {"score", "", "0.5"}}, 400, 0, "", "give it once"},
		{"a field twice", "", []formPart{img, {"score", "", "1"}, {"score", "", "0.5"}}, 400, 0, "", "2 times"},
		{"a wrong score", "", []formPart{img, {"score", "", "2"}}, 400, 0, "", "from 0 to 1"},
		{"a score that is no number", "", []formPart{{"score", "", "high"}, img}, 400, 0, "", "from 0 to 1"},
		{"no such class", "", []formPart{img, {"classes", "", "zebra"}}, 400, 0, "", "zebra"},
		{"no such model", "", []formPart{img, {"model", "", "none"}}, 404, 0, "", "none"},
		{"a very long field", "", []formPart{{"score", "", strings.Repeat("1", 5000)}, img}, 400, 0, "", "more than"},
		{"an unknown field", "?score=1", []formPart{img, {"scor", "", "0.3"}}, 200, 0, "scor", ""},
		{"unknown fields", "?score=1", []formPart{{"b", "", "1"}, img, {"a", "", "2"}, {"b", "", "3"}}, 200, 0, "b,a", ""},
		{"a strange field", "?score=1", []formPart{img, {"ü", "", "2"}}, 200, 0, `"\u00fc"`, ""},
		{"a part without a name", "?score=1", []formPart{img, {"", "", "2"}}, 200, 0, "", ""},
		{"two images", "", []formPart{img, img}, 400, 0, "", "second image"},
		{"two images of other names", "", []formPart{{"one", "a.jpg", pic}, {"two", "b.jpg", pic}}, 400, 0, "", "two"},
		{"an image and a file", "", []formPart{img, {"notes", "notes.txt", "hello"}}, 400, 0, "", "notes"},
		{"a file that was not chosen", "?score=1", []formPart{img, {"image", "", ""}}, 200, 0, "", ""},
		{"no picture", "", []formPart{{"score", "", "1"}}, 400, 0, "", "no part named image"},
		{"an image by another name", "?score=1", []formPart{{"upload", "a.jpg", pic}}, 200, 0, "", ""},
	} {
		body, kind := formOf(t, k.parts)
		r := httptest.NewRequest("POST", "/v1/detect"+k.query, bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != k.status || !strings.Contains(w.Body.String(), k.says) {
			t.Errorf("%s: %d: %.300s; want %d and %q", k.name, w.Code, w.Body, k.status, k.says)
			continue
		}
		if w.Code == 200 {
			a := parse[Answer](t, w.Result())
			if k.objects < 0 && len(a.Detections) != len(all.Detections) || k.objects >= 0 && len(a.Detections) > k.objects {
				t.Errorf("%s: %d objects of %d", k.name, len(a.Detections), len(all.Detections))
			}
			if got := strings.Join(a.Ignored, ","); got != k.ignored && !(k.ignored == "" && got == "") {
				t.Errorf("%s: ignored %q, want %q", k.name, got, k.ignored)
			}
		}
		s.whole(t)
	}
	// A field may ask for an image, whose answer has what JSON has in its header.
	body, kind := formOf(t, []formPart{img, {"format", "", "jpeg"}, {"a", "", ""}})
	r := ask(s.Handler(), "POST", "/v1/detect", body, "Content-Type", kind)
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/jpeg" || r.Header.Get(ignoredHeader) != "a" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
}

// What is sent in another way than an image is told how to be sent.
func TestHints(t *testing.T) {
	s := newServer(t, Options{})
	pic := noise(t, 64, 48)
	stripped := bytes.NewBuffer(nil) // as curl -d sends a file
	for _, c := range pic {
		if c != '\n' && c != '\r' && c != 0 {
			stripped.WriteByte(c)
		}
	}
	const urlencoded = "application/x-www-form-urlencoded"
	for _, k := range []struct{ name, kind, body, says string }{
		{"curl -d @a.jpg", urlencoded, stripped.String(), "--data-binary"},
		{"curl -d a.jpg", urlencoded, "a.jpg", "--data-binary"},
		{"a form of a browser", urlencoded, "image=a.jpg&score=1", "-F image=@FILE"},
		{"a file's name", "", "@a.jpg", "--data-binary"},
		{"JSON", "application/json", `{"image":"x"}`, "JSON"},
		{"JSON without a type", "", ` {"image":"x"}`, "JSON"},
		{"base64", "", "/9j/4AAQSkZJRgABAQAAAQABAAD", "base64"},
		{"base64 of a PNG", "text/plain", "iVBORw0KGgoAAAANSUhEUg", "base64"},
		{"a data address", "", "data:image/png;base64,iVBOR", "base64"},
		{"an address", "text/plain", "https://example.org/a.jpg", "is an address"},
		{"a form without its boundary", "application/octet-stream", "--x\r\nContent-Disposition: form-data; name=image\r\n\r\n", "Content-Type"},
		{"a HEIC image", "image/heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"},
		{"a PDF", "", "%PDF-1.7", "PDF"},
		{"a page", "text/html", "<!DOCTYPE html>", "web page"},
		{"text", "text/plain", "hello", "send a JPEG"},
	} {
		r := ask(s.Handler(), "POST", "/v1/detect", []byte(k.body), "Content-Type", k.kind)
		if b := read(t, r); r.StatusCode != 400 && r.StatusCode != 415 || !strings.Contains(string(b), k.says) {
			t.Errorf("%s: %d %s; want %q", k.name, r.StatusCode, b, k.says)
		}
	}
	// curl --data-binary names a form too, and sends the image as it is.
	if r := ask(s.Handler(), "POST", "/v1/detect", pic, "Content-Type", urlencoded); r.StatusCode != 200 {
		t.Errorf("curl --data-binary: %d %s", r.StatusCode, read(t, r))
	}
}

// The answer says how many pages or frames of a file were not looked at.
func TestFurtherPages(t *testing.T) {
	s := newServer(t, Options{})
	film := &gif.GIF{}
	for range 4 {
		film.Image, film.Delay = append(film.Image, image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{color.Black, color.White})), append(film.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, film); err != nil {
		t.Fatal(err)
	}
	if a := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", b.Bytes())); a.More != 3 {
		t.Errorf("%+v", a)
	}
	if r := ask(s.Handler(), "POST", "/v1/detect?format=jpeg", b.Bytes()); r.StatusCode != 200 || r.Header.Get(furtherHeader) != "3" {
		t.Errorf("%d, %v", r.StatusCode, r.Header)
	}
	if a := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48))); a.More != 0 {
		t.Errorf("%+v", a)
	}
	if strings.Contains(string(read(t, ask(s.Handler(), "POST", "/v1/detect", noise(t, 64, 48)))), "further_pages") {
		t.Error("a picture of one page has further_pages")
	}
}

// A TIFF's answer is of the upright image.
func TestUprightAnswer(t *testing.T) {
	s := newServer(t, Options{})
	o := binary.LittleEndian
	const w, h = 96, 64
	for orientation, want := range map[uint32][2]int{1: {w, h}, 3: {w, h}, 6: {h, w}, 8: {h, w}} {
		b := append([]byte("II*\x00"), 0, 0, 0, 0)
		b = append(b, make([]byte, w*h)...)
		o.PutUint32(b[4:], uint32(len(b)))
		tags := [][3]uint32{{256, 3, w}, {257, 3, h}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {274, 3, orientation}, {277, 3, 1}, {278, 3, h}, {279, 4, w * h}}
		b = o.AppendUint16(b, uint16(len(tags)))
		for _, t := range tags {
			b = o.AppendUint32(o.AppendUint32(o.AppendUint16(o.AppendUint16(b, uint16(t[0])), uint16(t[1])), 1), t[2])
		}
		b = o.AppendUint32(b, 0)
		if a := parse[Answer](t, ask(s.Handler(), "POST", "/v1/detect", b)); a.Width != want[0] || a.Height != want[1] {
			t.Errorf("orientation %d: %dx%d, want %v", orientation, a.Width, a.Height, want)
		}
	}
}
