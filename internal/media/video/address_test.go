package video

import "testing"

func TestPublic(t *testing.T) {
	for address, want := range map[string]string{"rtsp://me:secret@10.0.0.1/a": "rtsp://***@10.0.0.1/a", "http://h/a@b": "http://h/a@b", "a/b.jpg": "a/b.jpg"} {
		if got := Public(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
