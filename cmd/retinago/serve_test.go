package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// blank writes a small model without training.
func blank(t *testing.T) string {
	t.Helper()
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := config.Default()
	c.Model.Backbone, c.Model.BackboneWidth, c.Model.FPNWidth, c.Model.HeadDepth, c.Model.Classes = "resnet18", 16, 16, 1, []string{"cat"}
	c.Data.ShortSides, c.Data.MaxSide, c.Data.CanvasMultiple = []int{64}, 96, 32
	m, err := detector.New(c.Model, e, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	path := filepath.Join(t.TempDir(), "blank.safetensors")
	if err := m.Save(path, detector.Info{Config: c, Categories: []detector.Category{{ID: 1, Name: "cat"}}}); err != nil {
		t.Fatal(err)
	}
	return path
}

// The program serves two models to who has a token from a file, and stops by SIGTERM with exit code 0.
func TestServe(t *testing.T) {
	var free []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free = append(free, l.Addr().String())
		l.Close()
	}
	addr, health := free[0], free[1]
	model, token := blank(t), filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a long token\nanother-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, out := program("serve", "-weights", model, "-weights", "second="+model, "-addr", addr, "-token-file", token, "-score", ".001", "-grace", "50ms", "-health-addr", health,
		"-allow-host", "cams.example", "-allow-origin", "https://app.example")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	get := func(path string) (*http.Response, error) { return http.Get("http://" + addr + path) }
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if r, err := get("/readyz"); err == nil && r.StatusCode == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %s", out)
		}
	}
	if r, err := get("/v1/models"); err != nil || r.StatusCode != 401 {
		t.Errorf("without a token: %v, %v", r, err)
	}
	if r, err := http.Get("http://" + health + "/readyz"); err != nil || r.StatusCode != 200 {
		t.Errorf("the health's address: %v, %v: %s", r, err, out)
	}
	for host, want := range map[string]int{"cams.example": 200, "other.example": 421} {
		r, err := http.NewRequest("GET", "http://"+addr+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		if a, err := http.DefaultClient.Do(r); err != nil || a.StatusCode != want {
			t.Errorf("%s: %v, %v", host, a, err)
		}
	}
	file := filepath.Join(t.TempDir(), "p.png")
	if err := picture.New(80, 60).WritePNG(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"blank", "second"} {
		r, err := http.NewRequest("POST", fmt.Sprintf("http://%s/v1/detect?model=%s", addr, name), bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer another-token")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Model      string
			Width      int
			Detections []any
		}
		text, _ := io.ReadAll(a.Body)
		a.Body.Close()
		if err := json.Unmarshal(text, &v); err != nil || v.Model != name || v.Width != 80 || len(v.Detections) == 0 {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	wants(t, out.String(), "serving blank, second on http://"+addr, "its health on http://"+health, "all that was accepted is answered")
}

// What cannot be served is refused before anything is loaded, as wrong usage where it is.
func TestServeRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	model, folder := blank(t), t.TempDir()
	if err := picture.New(8, 8).WritePNG(filepath.Join(folder, "a.png")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-weights x -queue 0", 2, "-queue"},
		{"-weights x -camera door", 2, "NAME=SOURCE"},
		{"-weights x -camera rtsp://me:secret@10.0.0.3/live", 2, "rtsp://***@10.0.0.3/live: give NAME=SOURCE"},
		{"-weights x -camera door=cam:front", 2, "-camera door: source: cam:front: a camera has a number"},
		{"-weights x -camera film=absent.mp4", 2, "-camera film: source: absent.mp4: there is no such file"},
		{"-weights x -camera door=http://", 2, "-camera door: serve: http://: it is no address"},
		{"-weights x -camera door=http://h/a -camera door=http://h/b", 2, `two cameras are called "door"`},
		{"-weights x -camera film=" + folder, 2, map[bool]string{true: "-camera film: source: " + folder + ": it is no video", false: "-camera film: video: this program was built without OpenCV"}[video.Available() == nil]},
		{"-weights " + model + " -addr localhost:0 -camera the/door=http://h/a", 2, `camera "the/door"`},
		{"-weights x -addr localhost:0 -score 2", 2, "-score"},
		{"-weights x -addr localhost:0 -method magic", 2, "magic"},
		{"-weights x -token-file " + empty, 1, "no token"},
		{"-weights nothing.safetensors -addr localhost:0", 1, "nothing.safetensors"},
		{"-weights a=" + model + " -weights a=" + model + " -addr localhost:0", 2, `two models are called "a"`},
		{"-weights " + model + " -addr localhost:0 -token short", 2, "at least 8"},
		{"-weights x -addr nowhere", 1, "nowhere"},
		{"-weights x -addr localhost:0 -health-addr nowhere", 1, "-health-addr"},
		{"-weights x -max-conns-address 0", 2, "-max-conns-address"},
		{"-weights x -token-file /dev/zero", 1, "no list of tokens"},
		{"-weights " + model + " -addr localhost:0 -allow-host http://a", 2, "without scheme, port or path"},
		{"-weights " + model + " -addr localhost:0 -allow-origin a.example", 2, "SCHEME://HOST"},
	} {
		code, out := call(t, append([]string{"serve"}, strings.Fields(c.args)...)...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.args, code, c.code)
		}
		wants(t, out, c.want)
	}
}
