package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retinago/internal/file"
)

// weightsFile is what the servers have.
var weightsFile = func() []byte {
	b := make([]byte, 300_000)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(b)
	return b
}()

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// server answers with f and counts the requests.
func server(t *testing.T, f func(n int64, w http.ResponseWriter, r *http.Request)) (File, *atomic.Int64) {
	t.Helper()
	var count atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(count.Add(1), w, r) }))
	t.Cleanup(s.Close)
	file, err := Find("net-"+sum(weightsFile)[:8], s.URL+"/models/")
	if err != nil {
		t.Fatal(err)
	}
	return file, &count
}

func quick() Options {
	return Options{Pause: time.Millisecond, Idle: 200 * time.Millisecond, Attempts: 3, FirstUse: true}
}

// whole serves the file with ranges, as a server should.
func whole(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "net.pth", time.Time{}, bytes.NewReader(weightsFile))
}

// cut sends some bytes and breaks the connection.
func cut(w http.ResponseWriter, from, n int) {
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(weightsFile)-1, len(weightsFile)))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(weightsFile)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(weightsFile[from:min(from+n, len(weightsFile))])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestGet(t *testing.T) {
	from := func(r *http.Request) (at int) {
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at)
		return at
	}
	for name, c := range map[string]struct {
		handler func(n int64, w http.ResponseWriter, r *http.Request)
		asks    int64
		wrong   string // part of the error, "" where the file comes
	}{
		"plain":     {func(_ int64, w http.ResponseWriter, r *http.Request) { whole(w, r) }, 1, ""},
		"no length": {func(_ int64, w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.Write(weightsFile) }, 1, ""},
		"breaks off four times": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n <= 4 {
				cut(w, from(r), 50_000)
			}
			whole(w, r)
		}, 5, ""},
		"breaks off and has no ranges": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				cut(w, 0, 50_000)
			}
			w.Write(weightsFile)
		}, 2, ""},
		"is busy": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n < 3 {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			whole(w, r)
		}, 3, ""},
		"hangs once": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.Write(weightsFile[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			whole(w, r)
		}, 2, ""},
		"goes on elsewhere": {func(n int64, w http.ResponseWriter, r *http.Request) {
			switch n {
			case 1:
				cut(w, 0, 50_000)
			case 2:
				cut(w, 10, 50_000)
			}
			whole(w, r)
		}, 3, ""},
		"says less than there is": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write(weightsFile[:1000])
		}, 1, "other bytes"},
		"says more than there is, ever": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			if at := from(r); at > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(weightsFile)+99, len(weightsFile)+100))
				w.Header().Set("Content-Length", fmt.Sprint(len(weightsFile)+100-at))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(weightsFile[at:])
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(weightsFile)+100))
			w.Write(weightsFile)
			panic(http.ErrAbortHandler)
		}, 4, "brought nothing"},
		"wrong bytes": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("x", 5000)))
		}, 1, "other bytes"},
		"wrong bytes after a break": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				cut(w, 0, 50_000)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(bytes.Repeat([]byte{7}, 60_000), weightsFile[60_000:]...)))
		}, 3, "other bytes"},
		"not there":       {func(_ int64, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, 1, "404"},
		"announces a lot": {func(_ int64, w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "99999999999") }, 1, "more than"},
		"an unasked range": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-10/100")
			w.WriteHeader(http.StatusPartialContent)
		}, 1, "not asked for"},
		"never gets beyond a place": {func(n int64, w http.ResponseWriter, r *http.Request) {
			if n%2 == 1 {
				cut(w, 0, 50_000)
			}
			cut(w, 10, 50_000)
		}, 4, "brought nothing"},
		"never ends": {func(_ int64, w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(weightsFile); err != nil {
					return
				}
			}
		}, 1, "more than 1000000"},
	} {
		t.Run(name, func(t *testing.T) {
			f, count := server(t, c.handler)
			dir := filepath.Join(t.TempDir(), "new")
			o := quick()
			o.MaxBytes = 1_000_000
			path, err := Get(context.Background(), f, dir, o)
			if n := count.Load(); n != c.asks {
				t.Errorf("%d requests, want %d", n, c.asks)
			}
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || !strings.Contains(err.Error(), f.URL) {
					t.Errorf("error %v, want one with %q and the address", err, c.wrong)
				}
				if _, err := os.Stat(filepath.Join(dir, f.Name)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a file appeared: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, weightsFile) {
				t.Errorf("other bytes (%v)", err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*"+partSuffix)); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A stopped download goes on where it was, in another process as well; a complete one is not asked for.
func TestGetContinues(t *testing.T) {
	var first atomic.Value
	f, count := server(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		first.Store(r.Header.Get("Range"))
		if n == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(weightsFile)))
			w.Write(weightsFile[:100_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		whole(w, r)
	})
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	o := quick()
	o.Idle = time.Minute
	o.Progress = func(done, total int64) {
		if total != int64(len(weightsFile)) {
			t.Errorf("a total of %d", total)
		}
		if done >= 100_000 {
			cancel()
		}
	}
	if _, err := Get(ctx, f, dir, o); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "100000 bytes are kept") {
		t.Fatalf("stopped: %v", err)
	}
	if _, err := Get(context.Background(), f, dir, quick()); err != nil {
		t.Fatal(err)
	}
	if got := first.Load(); got != "bytes=100000-" {
		t.Errorf("asked for %q", got)
	}
	if _, err := Get(context.Background(), f, dir, quick()); err != nil || count.Load() != 2 {
		t.Errorf("again: %v, %d requests", err, count.Load())
	}
	if err := os.WriteFile(filepath.Join(dir, f.Name), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(context.Background(), f, dir, quick()); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("over a file of the same name: %v", err)
	}
}

// A stale part of another file does not spoil the next attempt.
func TestGetOverStalePart(t *testing.T) {
	f, _ := server(t, func(_ int64, w http.ResponseWriter, r *http.Request) { whole(w, r) })
	for _, n := range []int{1000, len(weightsFile), len(weightsFile) + 10} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, f.Name+partSuffix), make([]byte, n), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Get(context.Background(), f, dir, quick()); err != nil {
			t.Errorf("over %d bytes: %v", n, err)
		}
	}
}

// Only one program at a time fetches a file: the other ends with an error that names it, and the part stays as it is.
func TestGetOneOwner(t *testing.T) {
	f, count := server(t, func(_ int64, w http.ResponseWriter, r *http.Request) { whole(w, r) })
	dir := t.TempDir()
	path := filepath.Join(dir, f.Name)
	if err := os.WriteFile(path+partSuffix, weightsFile[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	owner, err := file.LockFile(path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Get(t.Context(), f, dir, quick())
	if !errors.Is(err, file.ErrOwned) || !strings.Contains(err.Error(), path) || count.Load() != 0 {
		t.Errorf("while another fetches: %v, %d requests", err, count.Load())
	}
	if b, err := os.ReadFile(path + partSuffix); err != nil || !bytes.Equal(b, weightsFile[:1000]) {
		t.Errorf("the part is changed: %d bytes, %v", len(b), err)
	}
	owner.Release()
	if _, err := Get(t.Context(), f, dir, quick()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}
