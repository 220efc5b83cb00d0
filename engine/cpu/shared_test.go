package cpu

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"retinago/engine"
)

// threads is how many threads this process has.
func threads(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not tell of threads: ", err)
	}
	_, rest, _ := strings.Cut(string(b), "Threads:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	must(t, err)
	return n
}

// Crowded out, an engine waits briefly; left alone, it waits long again, and nothing of it stays. What it computes is the same.
func TestSharing(t *testing.T) {
	e := start(t, Options{Threads: 2})
	s := &sharing{threads: 2}
	x := put(t, e, filled(1<<16, 1), 1<<16)
	compute := func() []float32 {
		y := put(t, e, nil, 1<<16)
		defer e.Release(y)
		must(t, e.Sum(y, x, x, engine.None))
		return get(t, e, y)
	}
	want, before := compute(), threads(t)
	s.set(true)
	if now := threads(t); now < before+2 {
		t.Errorf("%d threads, then %d: there should be two more at least", before, now)
	}
	s.set(false)
	for _, k := range []struct {
		share float64
		short bool
	}{{.1, false}, {.3, true}, {.1, true}, {.9, true}, {.01, false}, {.1, false}, {.26, true}, {.09, false}} {
		was := s.idle != nil
		s.judge(k.share)
		if short := s.idle != nil; short != k.short {
			t.Fatalf("delayed for %v of the time after %v: waits are short: %v", k.share, was, short)
		}
		if got := compute(); !slices.Equal(got, want) {
			t.Errorf("delayed for %v of the time: other results", k.share)
		}
	}
	before = threads(t)
	for range 20 {
		s.set(true)
		s.set(false)
	}
	// Threads end a moment after they are told to.
	for begin := time.Now(); threads(t) > before+4; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d threads before, %d after", before, threads(t))
		}
	}
}

// An engine looks at most once a second, and not at all with one thread.
func TestSharingLooksSeldom(t *testing.T) {
	now := time.Now()
	for _, k := range []struct {
		s    sharing
		want bool
	}{
		{sharing{threads: 2}, true},
		{sharing{threads: 2, looked: now.Add(-2 * time.Second)}, true},
		{sharing{threads: 2, looked: now.Add(-time.Second / 2)}, false},
		{sharing{threads: 1}, false},
	} {
		if got := k.s.due(now); got != k.want {
			t.Errorf("%+v: %v", k.s, got)
		}
	}
	if d, ok := delay(); ok && d < 0 {
		t.Errorf("a delay of %v", d)
	}
}
