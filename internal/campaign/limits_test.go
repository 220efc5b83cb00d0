//go:build campaign

package campaign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limits are the memory of a container in MB, quotas the processors whose time it gets.
var (
	limits = []int{300, 400, 600, 860, 1000, 1500, 2000}
	quotas = []float64{.5, 1, 1.5}
)

// group is a control group of each kind that is wanted, as folders to whose cgroup.procs a process is written.
type group struct{ dirs []string }

// confine makes groups with a limit of memory in MB and a quota of processors; 0 is none. A quota is served before other groups, so that
// what is measured does not depend on them. It skips where that is not allowed.
func confine(t *testing.T, memory int, quota float64) *group {
	t.Helper()
	g := &group{}
	t.Cleanup(g.remove)
	const top = "/sys/fs/cgroup"
	name := fmt.Sprintf("retinago-campaign-%d", os.Getpid())
	write := func(dir, file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0); err != nil {
			t.Skip("control groups cannot be written here: ", err)
		}
	}
	make := func(dir string) string {
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			t.Skip("control groups cannot be made here: ", err)
		}
		g.dirs = append(g.dirs, dir)
		return dir
	}
	period := 100_000
	if _, err := os.Stat(filepath.Join(top, "cgroup.controllers")); err == nil { // version 2
		write(top, "cgroup.subtree_control", "+memory +cpu")
		dir := make(filepath.Join(top, name))
		if memory > 0 {
			write(dir, "memory.max", fmt.Sprint(memory<<20))
		}
		if quota > 0 {
			write(dir, "cpu.weight", "10000")
			write(dir, "cpu.max", fmt.Sprintf("%d %d", int(quota*float64(period)), period))
		}
		return g
	}
	if memory > 0 {
		write(make(filepath.Join(top, "memory", name)), "memory.limit_in_bytes", fmt.Sprint(memory<<20))
	}
	if quota > 0 {
		dir := make(filepath.Join(top, "cpu", name))
		write(dir, "cpu.shares", "262144")
		write(dir, "cpu.cfs_period_us", fmt.Sprint(period))
		write(dir, "cpu.cfs_quota_us", fmt.Sprint(int(quota*float64(period))))
	}
	return g
}

// remove removes the groups, once what ran in them is gone.
func (g *group) remove() {
	for _, dir := range g.dirs {
		for range 100 {
			if err := os.Remove(dir); err == nil || os.IsNotExist(err) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	g.dirs = nil
}

// within is a call whose process is in the groups from its beginning.
func (g *group) within(c call) call {
	script := ""
	for _, dir := range g.dirs {
		script += "echo $$ > " + dir + "/cgroup.procs && "
	}
	c.program, c.args = "/bin/sh", append([]string{"-c", script + `exec "$0" "$@"`, c.program}, c.args...)
	return c
}

// refused reports whether a program ended because there is too little memory, and said so.
func refused(e ended) bool {
	return e.code == 1 && strings.Contains(e.out, "available") && strings.Contains(e.out, " MB")
}

// In a container with little memory every verb refuses with a word, or finishes; none is killed.
func TestLimits(t *testing.T) {
	dir := t.TempDir() // not in memory: files there would be the group's
	program := program(t, setting.builds[0])
	data := dataset(t, program, filepath.Join(dir, "data"))
	confine(t, limits[0], 0).remove() // skips before there is work
	runs := map[string][]string{
		"a small network": small(data, "train.steps=6"),
		"a large network": small(data, "train.steps=2", "data.short_sides=[320]", "data.max_side=448", "data.canvas_multiple=64", "model.backbone_width=64", "model.fpn_width=128",
			"model.head_depth=4", "train.batch=8"),
	}
	count := newCounter(t, "limits of memory", "calls", 0)
	said, done := 0, 0
	for _, name := range []string{"a small network", "a large network"} {
		model := filepath.Join(dir, name)
		must(t, program, append(append([]string{"train"}, runs[name]...), "-out", model)...)
		weights := filepath.Join(model, "last.safetensors")
		for _, limit := range limits {
			out := filepath.Join(dir, "out")
			for verb, args := range map[string][]string{
				"train":  append(append([]string{"train"}, runs[name]...), "-out", out),
				"eval":   {"eval", "-weights", weights, "-data", filepath.Join(data, "train.json"), "-images", filepath.Join(data, "train")},
				"detect": {"detect", "-weights", weights, "-source", filepath.Join(data, "train"), "-out", filepath.Join(out, "pictures"), "-score", ".01"},
				"serve":  {"serve", "-weights", weights, "-addr", "127.0.0.1:0"},
			} {
				g := confine(t, limit, 0)
				c := g.within(call{program: program, args: args})
				what, err := ended{}, error(nil)
				if verb == "serve" {
					what, err = served(t, c, data)
				} else {
					what, err = c.run()
				}
				g.remove()
				os.RemoveAll(out)
				switch {
				case err != nil:
					t.Fatal(err)
				case refused(what):
					said++
					count.hold(1)
				case what.code == 0:
					done++
					count.hold(1)
				default:
					count.fail("%s of %s in %d MB: %v", verb, name, limit, what)
				}
			}
		}
	}
	count.row("%d finished, %d refused with a word", done, said)
}

// served starts a server and lets eight clients ask it at once, if it starts.
func served(t *testing.T, c call, data string) (ended, error) {
	s, err := c.serve()
	if err != nil {
		return ended{}, err
	}
	if s.listens(time.Minute) {
		var all sync.WaitGroup
		for _, path := range pictures(t, filepath.Join(data, "train"))[:8] {
			b, err := os.ReadFile(path)
			if err != nil {
				return ended{}, err
			}
			all.Go(func() { s.ask(b, time.Minute) })
		}
		all.Wait()
	}
	if s.alive() {
		s.p.cmd.Process.Signal(syscall.SIGTERM)
	}
	<-s.done
	return s.what, s.err
}

// The threads that a program takes under a quota are within 5 % of the best number.
func TestQuotas(t *testing.T) {
	program := program(t, setting.builds[0])
	dir := t.TempDir()
	confine(t, 0, quotas[0]).remove()
	count := newCounter(t, "threads under a quota", "quotas", len(quotas))
	var figures []string
	for _, quota := range quotas {
		// In turns, so that what else the machine does meets all of them.
		times := map[int][]float64{}
		chosen := 0
		for range 5 {
			for _, threads := range []int{0, 1, 2} {
				path := filepath.Join(dir, "speed.json")
				args := append([]string{"bench", "speed", "-mode", "train", "-batch", "4", "-size", "256x256", "-rounds", "15", "-json", path},
					small(dir, "model.classes=[a,b]", "train.threads=0", "model.backbone_width=32", "model.fpn_width=64", "model.head_depth=2")...)
				if threads > 0 {
					args = append(args, "-threads", fmt.Sprint(threads))
				}
				g := confine(t, 0, quota)
				e, err := g.within(call{program: program, args: args}).run()
				g.remove()
				if err != nil || e.code != 0 {
					t.Fatalf("%v, %v", e, err)
				}
				var r struct {
					Seconds []float64
					Machine struct{ Threads int }
				}
				b, err := os.ReadFile(path)
				if err == nil {
					err = json.NewDecoder(bytes.NewReader(b)).Decode(&r)
				}
				if err != nil {
					t.Fatal(err)
				}
				sum := 0.0
				for _, s := range r.Seconds {
					sum += s
				}
				if threads == 0 {
					chosen = r.Machine.Threads
				}
				times[r.Machine.Threads] = append(times[r.Machine.Threads], sum/float64(len(r.Seconds)))
			}
		}
		best := 0
		for n := range times {
			if best == 0 || slices.Min(times[n]) < slices.Min(times[best]) {
				best = n
			}
		}
		ratio := slices.Min(times[chosen]) / slices.Min(times[best])
		figures = append(figures, fmt.Sprintf("%g: %d threads, %.2f of the best time", quota, chosen, ratio))
		if ratio > 1.05 {
			count.fail("a quota of %g: %d threads take %.3f s a step, %d threads %.3f s", quota, chosen, slices.Min(times[chosen]), best, slices.Min(times[best]))
		} else {
			count.hold(1)
		}
	}
	count.row("%s", strings.Join(figures, "; "))
}
