//go:build campaign

package campaign

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Of two processes that are started on one folder, at the same moment or one while the other runs, one does the work and the other
// ends with exit code 1. What comes of it is what comes of one alone.
func TestDoubles(t *testing.T) {
	dir := room(t)
	all := recipes(t, program(t, "plain"), dir)
	count := newCounter(t, "second starts on a folder in use", "pairs", setting.doubles)
	each(count, setting.doubles, func(i int) error {
		r := all[i%len(all)]
		where := filepath.Join(dir, fmt.Sprintf("double-%d", i))
		defer os.RemoveAll(where)
		said, err := double(i, r, where)
		if err != nil {
			return err
		}
		if said == "" {
			if d := differences(r.want, where); d != nil {
				said = strings.Join(d, "\n  ")
			}
		}
		if said != "" {
			count.fail("pair %d, %s: %s", i, r.name, said)
			return nil
		}
		count.hold(1)
		return nil
	})
	count.row("one of two went on, the other ended with exit code 1")
}

// double starts two processes and returns what was wrong with their ends. Where the first had ended before the second began to work,
// both are started again, the second sooner.
func double(item int, r *recipe, dir string) (said string, err error) {
	draw := draws("doubles", item)
	wait := time.Duration((.1 + .6*draw.Float64()) * float64(r.took))
	for ; ; wait /= 2 {
		a, b, met, err := pair(item, r, dir, wait)
		if err != nil {
			return "", err
		}
		switch {
		case a.code == 0 && b.code == 1:
			return "", nil
		case a.code == 1 && b.code == 0 && item%2 == 0:
			return "", nil
		case met || wait < r.took/100:
			return fmt.Sprintf("the first: %v\nthe second: %v", a, b), nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
}

// pair starts two processes, at the same moment or the second after a while, and reports whether they were at work at the same time.
func pair(item int, r *recipe, dir string, after time.Duration) (a, b ended, met bool, err error) {
	c := call{program: r.program, args: append(slices.Clone(r.begin), "-out", dir)}
	first, err := c.start()
	if err != nil {
		return a, b, false, err
	}
	if item%2 == 1 {
		time.Sleep(after)
		c.args = append(slices.Clone(r.resume(dir)), "-out", dir)
	}
	second, err := c.start()
	if err != nil {
		first.cmd.Process.Kill()
		first.wait()
		return a, b, false, err
	}
	var errB error
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, errB = second.wait()
	}()
	a, err = first.wait()
	over := first.begin.Add(a.took)
	<-done
	// A process that loses the race for a folder ends in a fraction of a second; one that works takes much longer.
	met = item%2 == 0 || over.Sub(second.begin) > b.took/2
	return a, b, met, errors.Join(err, errB)
}
