//go:build campaign

package campaign

import (
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
	all := recipes(t, program(t, "nocv"), dir)
	count := newTally(t, "second starts on a folder in use", "pairs", setting.doubles)
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

// double starts two processes and returns what was wrong with their ends.
func double(item int, r *recipe, dir string) (said string, err error) {
	draw := draws("doubles", item)
	c := call{program: r.program, args: append(slices.Clone(r.begin), "-out", dir)}
	first, err := c.start()
	if err != nil {
		return "", err
	}
	if item%2 == 1 { // else at the same moment
		time.Sleep(time.Duration((.1 + .6*draw.Float64()) * float64(r.took)))
		c.args = append(slices.Clone(r.resume(dir)), "-out", dir)
	}
	second, err := c.start()
	if err != nil {
		first.cmd.Process.Kill()
		first.wait()
		return "", err
	}
	a, errA := first.wait()
	b, errB := second.wait()
	switch {
	case errA != nil:
		return "", errA
	case errB != nil:
		return "", errB
	case a.code == 0 && b.code == 1:
		return "", nil
	case a.code == 1 && b.code == 0 && item%2 == 0:
		return "", nil
	}
	return fmt.Sprintf("the first: %v\nthe second: %v", a, b), nil
}
