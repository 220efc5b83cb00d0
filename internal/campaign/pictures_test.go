//go:build campaign

package campaign

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"retinago/picture"
)

const (
	batchSize  = 250              // pictures that a process looks at
	mostMemory = 512 << 20        // bytes of a process that looks at one picture
	mostTime   = 5 * time.Second  // of a core for one picture
	fewPixels  = 36_000_000       // up to which both hold; the pixels of larger ones alone can take more
	batchTime  = 30 * time.Second // of a core for a batch, from which on its slow pictures are looked for
	hangs      = 5 * time.Minute  // on the clock
)

// sieve takes pictures through detect in batches, and finds those that break it.
type sieve struct {
	program, model, dir string
	count               *tally
	kept                string

	mu          sync.Mutex
	readable    int           // pictures that were no error
	batch, one  int64         // peaks of processes with several pictures and with one
	large       int64         // with one of more than fewPixels
	cpu, oneCPU time.Duration // most of a picture: mean over a batch, and of one
}

// Mutated pictures of every format go through detect: it ends with 0, 3 or 4 and counts each of them, in bounded memory and time.
func TestPictures(t *testing.T) {
	dir := room(t)
	model := model(t, program(t, "nocv"), dir)
	all := seeds(t)
	for _, f := range order {
		if len(all[f]) == 0 {
			t.Fatalf("there is no seed of %s", f)
		}
		fmt.Printf("%d seeds of %s\n", len(all[f]), f)
	}
	for _, build := range setting.builds {
		s := &sieve{program: program(t, build), model: model, dir: dir, kept: kept(t, "pictures-"+build),
			count: newTally(t, "mutated pictures through detect, "+build, "pictures", setting.pictures)}
		each(s.count, (setting.pictures+batchSize-1)/batchSize, func(i int) error {
			var names []string
			where := filepath.Join(dir, fmt.Sprintf("%s-%d", build, i))
			if err := os.Mkdir(where, 0o755); err != nil {
				return err
			}
			defer os.RemoveAll(where)
			for n := i * batchSize; n < min((i+1)*batchSize, setting.pictures); n++ {
				m := mutate(all, n)
				name := filepath.Join(where, fmt.Sprintf("%d.%s", n, m.format))
				if err := os.WriteFile(name, m.b, 0o644); err != nil {
					return err
				}
				names = append(names, name)
			}
			return s.sift(names)
		})
		alone := ""
		if s.one+s.large > 0 {
			alone = fmt.Sprintf(", %d MB with one, %d MB with one above %d million pixels", s.one>>20, s.large>>20, fewPixels/1_000_000)
		}
		s.count.row("exit codes 0, 3 and 4; %.0f %% readable; at most %.1f ms of a core a picture (mean of %d); at most %d MB of a process with %d pictures%s",
			100*float64(s.readable)/float64(max(s.count.tried, 1)), 1e3*s.cpu.Seconds(), batchSize, s.batch>>20, batchSize, alone)
	}
}

// The four hostile pictures, and sound ones that are as large as may be, one by one.
func TestSinglePictures(t *testing.T) {
	dir := room(t)
	model := model(t, program(t, "nocv"), dir)
	for _, group := range []struct {
		what string
		all  map[string][]byte
	}{{"hostile", hostile()}, {"large", large()}} {
		var names []string
		for name, b := range group.all {
			names = append(names, filepath.Join(dir, strings.ReplaceAll(name, " ", "-")))
			if err := os.WriteFile(names[len(names)-1], b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, build := range setting.builds {
			s := &sieve{program: program(t, build), model: model, dir: dir, kept: kept(t, group.what+"-"+build),
				count: newTally(t, group.what+" pictures through detect, "+build, "pictures", len(names))}
			each(s.count, len(names), func(i int) error { return s.sift(names[i : i+1]) })
			s.count.row("exit codes 0, 3 and 4; %d readable; at most %.1f s of a core and %d MB", s.readable, s.oneCPU.Seconds(), max(s.one, s.large)>>20)
		}
	}
}

// sift takes pictures through detect. Where that goes wrong, it does so with halves, down to one.
func (s *sieve) sift(names []string) error {
	e, said, err := s.look(names)
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

// look runs detect and returns what was wrong with it.
func (s *sieve) look(names []string) (ended, string, error) {
	dir, err := os.MkdirTemp(s.dir, "look-")
	if err != nil {
		return ended{}, "", err
	}
	defer os.RemoveAll(dir)
	summary := filepath.Join(dir, "summary.json")
	e, err := call{program: s.program, stdin: strings.Join(names, "\n") + "\n", limit: hangs,
		args: []string{"detect", "-weights", s.model, "-source", "-", "-threads", "1", "-workers", "1", "-quiet", "-jsonl", filepath.Join(dir, "found.jsonl"), "-summary", summary}}.run()
	if err != nil {
		return e, "", err
	}
	if e.code != 0 && e.code != 3 && e.code != 4 {
		return e, e.String(), nil
	}
	var sum struct {
		Pictures, Broken int
		Peak             int64 `json:"peak_bytes"` // as the kernel tells the program; what it tells this one has this one's own in it
	}
	b, err := os.ReadFile(summary)
	if err == nil {
		err = json.Unmarshal(b, &sum)
	}
	if err != nil {
		return e, "", err
	}
	if sum.Pictures+sum.Broken != len(names) {
		return e, fmt.Sprintf("%d done and %d broken of %d", sum.Pictures, sum.Broken, len(names)), nil
	}
	e.peak = sum.Peak
	s.mu.Lock()
	s.readable += sum.Pictures
	s.mu.Unlock()
	return e, "", nil
}

// pixels are how many a picture's header tells of, 0 where it tells nothing.
func pixels(name string) (n int) {
	defer func() { recover() }() // what is wrong with a decoder is found in another process
	w, h, err := picture.Size(name)
	if err != nil {
		return 0
	}
	return w * h
}

// model makes a checkpoint that finds something.
func model(t *testing.T, program, dir string) string {
	t.Helper()
	data := dataset(t, program, filepath.Join(dir, "data"))
	out := filepath.Join(dir, "model")
	must(t, program, append(append([]string{"train"}, small(data, "train.optimizer=adamw", "train.eval_every=0")...), "-out", out)...)
	return filepath.Join(out, "last.safetensors")
}
