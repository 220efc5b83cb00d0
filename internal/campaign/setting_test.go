//go:build campaign

package campaign

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settings are what the environment says, with these defaults:
//
//	SEED      1                of everything that is drawn
//	SIZE      1                a share of the whole campaign: it scales the numbers below
//	KILLS     200              runs and sweeps that are killed and resumed
//	DOUBLES   20               runs that are started twice
//	FLIPS     200              damages of each kind of file
//	PICTURES  100000           mutated images for each build
//	SERVER    10m              of load for each build
//	BUILDS    "opencv plain"   programs that read images and serve: with OpenCV, and without
//	JOBS      a core each      processes at once
type settings struct {
	seed                            uint64
	kills, doubles, flips, pictures int
	server                          time.Duration
	builds                          []string
	jobs                            int
}

var setting settings

// stop ends everything when the user interrupts.
var stop context.Context

func TestMain(m *testing.M) {
	var cancel context.CancelFunc
	stop, cancel = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := setting.read()
	code := 2
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, "campaign:", err)
	}
	cancel()
	os.Exit(code)
}

func (s *settings) read() error {
	size := 1.0
	var errs []string
	parse := func(name string, set func(text string) error) {
		if text := os.Getenv(name); text != "" {
			if err := set(text); err != nil {
				errs = append(errs, fmt.Sprintf("%s=%s: %v", name, text, err))
			}
		}
	}
	parse("SIZE", func(text string) (err error) {
		if size, err = strconv.ParseFloat(text, 64); err == nil && !(size > 0 && size <= 100) {
			err = fmt.Errorf("give a number above 0")
		}
		return err
	})
	number := func(name string, whole, least int) int {
		n := max(least, int(math.Round(size*float64(whole))))
		parse(name, func(text string) (err error) {
			if n, err = strconv.Atoi(text); err == nil && n < 1 {
				err = fmt.Errorf("give a number above 0")
			}
			return err
		})
		return n
	}
	s.seed = 1
	parse("SEED", func(text string) (err error) { s.seed, err = strconv.ParseUint(text, 10, 64); return err })
	s.kills, s.doubles, s.flips = number("KILLS", 200, 4), number("DOUBLES", 20, 2), number("FLIPS", 200, 10)
	s.pictures, s.jobs = number("PICTURES", 100_000, 200), number("JOBS", 0, cores())
	s.server = time.Duration(math.Max(5e9, size*600e9))
	parse("SERVER", func(text string) (err error) { s.server, err = time.ParseDuration(text); return err })
	s.builds = []string{"opencv", "plain"}
	parse("BUILDS", func(text string) error {
		s.builds = strings.Fields(text)
		for _, b := range s.builds {
			if _, ok := tags[b]; !ok {
				return fmt.Errorf("there is no build %q", b)
			}
		}
		return nil
	})
	if errs != nil {
		return fmt.Errorf("%s", strings.Join(errs, "; "))
	}
	return nil
}

// draws are random numbers of their own for each item of each part: equal seeds give equal items, in any order.
func draws(part string, item int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", part, item)
	return rand.New(rand.NewPCG(setting.seed, h.Sum64()))
}

// room is a folder for a part's files: in memory where there are two free GB of it for files, else where temporary files are.
func room(t *testing.T) string {
	t.Helper()
	var fs syscall.Statfs_t
	base := ""
	if err := syscall.Statfs("/dev/shm", &fs); err == nil && uint64(fs.Bsize)*fs.Bavail > 2<<30 {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "retinago-campaign-")
	if err != nil && base != "" { // not ours to write
		dir, err = os.MkdirTemp("", "retinago-campaign-")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// outFolder is a folder of the repository for what broke something.
func outFolder(t *testing.T, part string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "out", "campaign", part))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
