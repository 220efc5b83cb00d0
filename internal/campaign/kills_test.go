//go:build campaign

package campaign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A run or sweep that is killed, up to three times, and resumed comes to the same end as one that is not: every tensor to the bit,
// every line of its log, every result.
func TestKills(t *testing.T) {
	prog := program(t, "plain")
	dir := room(t)
	all := recipes(t, prog, dir)
	count := newCounter(t, "runs and sweeps, killed and resumed", "interrupted", setting.kills)
	var mu sync.Mutex
	kills := map[string]int{}
	each(count, setting.kills, func(i int) error {
		r, k := all[i%len(all)], killers[i/len(all)%len(killers)]
		where := filepath.Join(dir, fmt.Sprintf("killed-%d", i))
		defer os.RemoveAll(where)
		n, said, err := interrupt(i, r, k, where)
		if err != nil {
			return err
		}
		mu.Lock()
		kills[k.name] += n
		mu.Unlock()
		if said == "" {
			if d := differences(r.want, where); d != nil {
				said = strings.Join(d, "\n  ")
			}
		}
		if said != "" {
			at := filepath.Join(outFolder(t, "kills"), fmt.Sprintf("seed-%d-item-%d", setting.seed, i))
			os.RemoveAll(at)
			os.CopyFS(at, os.DirFS(where))
			count.fail("item %d, %s, %d times %s: %s\n  kept as %s", i, r.name, n, k.name, said, at)
			return nil
		}
		count.hold(1)
		return nil
	})
	var text []string
	for _, k := range killers {
		text = append(text, fmt.Sprintf("%d %s", kills[k.name], k.name))
	}
	count.row("kills: %s; tensors, logs and results of %d equal to the bit", strings.Join(text, ", "), count.held)
}

// interrupt begins a recipe in a folder, ends it up to three times and lets it finish. It returns how often it was ended, and what
// went wrong on the way.
func interrupt(item int, r *recipe, k *killer, dir string) (kills int, said string, err error) {
	draw := draws("kills", item)
	times := 1 + draw.IntN(3)
	for try := 0; kills < times; try++ {
		if kills == 0 { // from the beginning, until it is ended once
			if err := os.RemoveAll(dir); err != nil {
				return 0, "", err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil { // to be watched
				return 0, "", err
			}
		}
		if try == 20 {
			return kills, "it was never ended in 20 tries", nil
		}
		c := call{program: r.program, args: append(slices.Clone(r.resume(dir)), "-out", dir)}
		armed, err := k.arm(draw, &c, r, dir)
		if err != nil {
			return kills, "", err
		}
		p, err := c.start()
		if err != nil {
			return kills, "", err
		}
		disarm := armed(p)
		e, err := p.wait()
		killed := e.signal == syscall.SIGKILL && !e.hung
		asked := e.code == 0 && strings.Contains(e.out, "interrupted")
		disarm()
		switch {
		case err != nil:
			return kills, "", err
		case killed, asked:
			kills++
		case e.code != 0 && !hangsUp(e):
			return kills, e.String(), nil
		case kills > 0: // it came to its end
			times = kills
		}
	}
	e, err := call{program: r.program, args: append(slices.Clone(r.resume(dir)), "-out", dir)}.run()
	if err == nil && e.code != 0 {
		said = "resumed for the last time: " + e.String()
	}
	return kills, said, err
}

// hangsUp reports whether a signal came before the program listened to signals.
func hangsUp(e ended) bool {
	return e.out == "" && (e.signal == syscall.SIGTERM || e.signal == syscall.SIGINT || e.signal == syscall.SIGHUP)
}
