//go:build campaign

package campaign

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	promptly = 2 * time.Second  // that a good client waits at most
	raceSlow = 30 * time.Second // and with the race detector, under which time and memory say nothing
	calm     = 2 * time.Minute  // in which a server gives memory back
)

// A server under hostile load answers a good client's image every second, within two; afterwards it has its memory back, still
// answers, and ends on SIGTERM with exit code 0.
func TestServer(t *testing.T) {
	dir := room(t)
	weights := model(t, program(t, "plain"), dir)
	good, err := os.ReadFile(pictures(t, filepath.Join(dir, "data", "val"))[0])
	if err != nil {
		t.Fatal(err)
	}
	all := seeds(t)
	large() // made before it is asked for
	for _, build := range setting.builds {
		t.Run(build, func(t *testing.T) {
			s := serve(t, program(t, build), weights)
			defer s.end(t)
			s.besiege(t, build, good, all)
		})
	}
}

// besiege is the load and what is looked at.
func (s *server) besiege(t *testing.T, build string, good []byte, all map[string][]seed) {
	limit, race := promptly, build == "race"
	if race {
		limit = raceSlow
	}
	s.use(t)
	before := s.memory("VmRSS")
	count := newCounter(t, "a good client beside hostile ones, "+build, "requests", int(setting.server/time.Second))
	ctx, cancel := context.WithTimeout(stop, setting.server)
	defer cancel()
	var wg sync.WaitGroup
	load := newLoad(s.addr, good, all)
	wg.Go(func() { load.run(ctx) })
	var mu sync.Mutex
	var took []time.Duration
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		wg.Go(func() {
			code, d, err := s.ask(good, limit)
			mu.Lock()
			took = append(took, d)
			mu.Unlock()
			if (err != nil || code != 200) && !(race && code == 429) { // a slow server may be full
				count.fail("after %s: %d, %v", time.Since(s.p.begin).Round(time.Second), code, err)
				return
			}
			count.hold(1)
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if !s.alive() {
			t.Errorf("the server ended: %s", ended{code: -1, out: s.p.out.String()}.tail())
			break
		}
	}
	cancel()
	wg.Wait()
	after, peak := s.memory("VmRSS"), s.memory("VmHWM")
	begin := time.Now()
	for ; !race && after > before+before/10 && time.Since(begin) < calm && stop.Err() == nil && s.alive(); after = s.memory("VmRSS") {
		time.Sleep(time.Second)
	}
	if after > before+before/10 && !race {
		t.Errorf("%d MB before the load, %d MB %s after it", before>>20, after>>20, time.Since(begin).Round(time.Second))
	}
	if code, _, err := s.ask(good, limit); code != 200 && !race {
		t.Errorf("after the load: %d, %v", code, err)
	}
	slices.Sort(took)
	count.whole = 0
	count.row("200 within %v: median %d ms, slowest %d ms; beside %s; %d MB before, %d MB at the peak, %d MB %d s after",
		limit, took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds(), load, before>>20, peak>>20, after>>20, int(time.Since(begin).Seconds()))
}

// use has eight clients send sound images of all shapes at once, and waits until the server rests: memory is compared with that of
// a server in use, which keeps a network for each shape.
func (s *server) use(t *testing.T) {
	ordinary := made(t)
	for i := range 24 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, scenery(100+i%5*200, 100+i/5*200), nil); err != nil {
			t.Fatal(err)
		}
		ordinary = append(ordinary, seed{fmt.Sprint(i), "jpg", b.Bytes()})
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(stop, min(setting.server/10, 20*time.Second))
	defer cancel()
	for n := range 8 {
		wg.Go(func() {
			for i := n; ctx.Err() == nil || i < 2*len(ordinary); i++ {
				if code, _, err := s.ask(ordinary[i%len(ordinary)].b, time.Minute); code == 0 {
					t.Errorf("before the load: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(10 * time.Second)
}
