//go:build opencv

package video

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"retinago/internal/media/picture"
)

// OpenCV throws for an image without pixels, which does not end the program. Its window library may end it, so that this runs in a
// process of its own, without a display.
func TestWindowThrows(t *testing.T) {
	if os.Getenv("RETINAGO_WINDOW") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWindowThrows$", "-test.v")
		cmd.Env = append(os.Environ(), "RETINAGO_WINDOW=1", "QT_QPA_PLATFORM=offscreen")
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "terminate called") {
			t.Skipf("this OpenCV has no windows without a display: %v\n%s", err, out)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	w, err := NewWindow("a")
	if err != nil {
		t.Log(err) // as words
		return
	}
	if open, err := w.Show(bars(32, 24, 3)); err != nil || !open {
		t.Errorf("a picture: %v, %v", open, err)
	}
	if _, err := w.Show(bars(64, 24, 3)); err != nil {
		t.Errorf("a larger one: %v", err)
	}
	if _, err := w.Show(picture.New(0, 0)); err == nil || !strings.Contains(err.Error(), "OpenCV") {
		t.Errorf("no pixels: %v; want what OpenCV throws", err)
	}
	w.Close()
}
