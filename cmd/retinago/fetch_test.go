package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// checkFetch publishes a file on a server of this machine, whose first answer breaks off, and fetches it by name.
func checkFetch(t *testing.T, path, pictures string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var broken atomic.Bool
	var served atomic.Pointer[[]byte]
	served.Store(&b)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := *served.Load()
		if !broken.Swap(true) {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			w.Write(b[:len(b)/2])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}))
	defer s.Close()
	dir := t.TempDir()
	name, cache := fmt.Sprintf("retinanet_tiny-%.8x", sha256.Sum256(b)), filepath.Join(dir, "cache")
	out := filepath.Join(dir, "fetched.safetensors")
	for _, verb := range [][]string{{"weights", "fetch", name, "-out", out}, {"detect", "-weights", name, "-source", pictures, "-out", filepath.Join(dir, "found")}} {
		code, text := call(t, append(verb, "-mirror", s.URL, "-cache", cache)...)
		if code != exitError {
			t.Errorf("%s of a file without a whole sum: exit code %d", verb[0], code)
		}
		wants(t, text, s.URL, "-sha256", "-first-use")
	}
	wants(t, ok(t, "weights", "fetch", name, "-out", out, "-mirror", s.URL, "-cache", cache, "-first-use"), s.URL, "4 classes", out)
	// The name alone detects; it is imported once.
	for _, more := range []string{"torchvision's RetinaNet", ""} {
		text := ok(t, "detect", "-weights", name, "-mirror", s.URL, "-cache", cache, "-source", pictures, "-out", filepath.Join(dir, "found"), "-score", ".01")
		wants(t, text, ".jpg", more)
	}
	wrong := bytes.Clone(b)
	wrong[len(b)-1] ^= 1
	served.Store(&wrong)
	code, text := call(t, "weights", "fetch", name, "-out", out, "-mirror", s.URL, "-cache", filepath.Join(dir, "other"), "-first-use")
	if code != exitError {
		t.Errorf("wrong bytes: exit code %d", code)
	}
	wants(t, text, "SHA-256", s.URL)
	code, text = call(t, "detect", "-weights", "retinanet_best", "-source", pictures, "-out", dir)
	if code != exitError {
		t.Errorf("no published name: exit code %d", code)
	}
	wants(t, text, "retinanet_best", "retinanet_resnet50_fpn_coco")
}
