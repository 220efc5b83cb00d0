//go:build campaign

package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"retinago/internal/media/picture"
)

const (
	batchSize  = 250              // images that a process looks at
	mostMemory = 512 << 20        // bytes of a process that looks at one image
	mostTime   = 5 * time.Second  // of a core for one image
	fewPixels  = 36_000_000       // up to which both hold; the pixels of larger ones alone can take more
	batchTime  = 30 * time.Second // of a core for a batch, from which on its slow images are looked for
	hangs      = 5 * time.Minute  // on the clock
)

// sieve takes images through detect in batches, and finds those that break it.
type sieve struct {
	program, model, dir string
	count               *counter
	kept                string

	mu          sync.Mutex
	readable    int           // images that were no error
	batch, one  int64         // peaks of processes with several images and with one
	large       int64         // with one of more than fewPixels
	cpu, oneCPU time.Duration // most of an image: mean over a batch, and of one
}

// sift takes images through detect. Where that goes wrong, it does so with halves, down to one.
func (s *sieve) sift(names []string) error {
	e, said, err := s.inspect(names)
	if err != nil {
		return err
	}
	single := len(names) == 1
	large := single && pixels(names[0]) > fewPixels
	s.note(len(names), e, large)
	heavy := ""
	switch {
	case said != "" || large:
	case e.peak > mostMemory:
		heavy = fmt.Sprintf("%d MB at the peak", e.peak>>20)
	case single && e.cpu > mostTime, e.cpu > batchTime:
		heavy = fmt.Sprintf("%.1f s of a core", e.cpu.Seconds())
	}
	switch {
	case said+heavy == "":
		s.count.hold(len(names))
		return nil
	case single:
		at := filepath.Join(s.kept, fmt.Sprintf("seed-%d-%s", setting.seed, filepath.Base(names[0])))
		b, err := os.ReadFile(names[0])
		if err == nil {
			err = os.WriteFile(at, b, 0o644)
		}
		s.count.fail("%s: %s", at, said+heavy)
		return err
	}
	before := s.failures()
	half := len(names) / 2
	if err := s.sift(names[:half]); err != nil {
		return err
	}
	if err := s.sift(names[half:]); err != nil {
		return err
	}
	if s.failures() == before && heavy == "" { // several at once, or by chance
		s.count.t.Errorf("%s: %s to %s together, not in halves: %s", s.count.what, names[0], names[len(names)-1], said)
	}
	return nil
}

// note keeps the figures of a process.
func (s *sieve) note(n int, e ended, large bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case large:
		s.large = max(s.large, e.peak)
	case n == 1:
		s.one, s.oneCPU = max(s.one, e.peak), max(s.oneCPU, e.cpu)
	default:
		s.batch, s.cpu = max(s.batch, e.peak), max(s.cpu, e.cpu/time.Duration(n))
	}
}

func (s *sieve) failures() int {
	s.count.mu.Lock()
	defer s.count.mu.Unlock()
	return s.count.failures
}

// inspect runs detect and returns what was wrong with it.
func (s *sieve) inspect(names []string) (ended, string, error) {
	dir, err := os.MkdirTemp(s.dir, "inspect-")
	if err != nil {
		return ended{}, "", err
	}
	defer os.RemoveAll(dir)
	summary, lines := filepath.Join(dir, "summary.json"), filepath.Join(dir, "found.jsonl")
	e, err := call{program: s.program, stdin: strings.Join(names, "\n") + "\n", limit: hangs,
		args: []string{"detect", "-weights", s.model, "-source", "-", "-threads", "1", "-workers", "1", "-quiet", "-jsonl", lines, "-summary", summary}}.run()
	if err != nil {
		return e, "", err
	}
	if e.code != 0 && e.code != 3 && e.code != 4 {
		return e, e.String(), nil
	}
	var sum struct {
		Peak int64 `json:"peak_bytes"` // as the kernel reports it to the program; wait4 here would include this process's own peak
	}
	b, err := os.ReadFile(summary)
	if err == nil {
		err = json.Unmarshal(b, &sum)
	}
	if err != nil {
		return e, "", err
	}
	done, err := images(lines)
	if err != nil {
		return e, "", err
	}
	readable := 0
	for _, name := range names {
		ok, is := done[name]
		if !is {
			return e, fmt.Sprintf("no line about %s, of %d images", name, len(names)), nil
		}
		if ok {
			readable++
		}
	}
	if len(done) != len(names) {
		return e, fmt.Sprintf("lines about %d images, of %d", len(done), len(names)), nil
	}
	e.peak = sum.Peak
	s.mu.Lock()
	s.readable += readable
	s.mu.Unlock()
	return e, "", nil
}

// pixels are how many an image's header states, 0 where it states none.
func pixels(name string) (n int) {
	defer func() { recover() }() // what is wrong with a decoder is found in another process
	w, h, err := picture.Size(name)
	if err != nil {
		return 0
	}
	return w * h
}

// images reads the lines about images: their names, and whether at least a page or frame of each could be read.
func images(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	done := map[string]bool{}
	for d := json.NewDecoder(f); ; {
		var line struct{ Source, Error string }
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return done, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		done[line.Source] = done[line.Source] || line.Error == ""
	}
}
