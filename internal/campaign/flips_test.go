//go:build campaign

package campaign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// target is a kind of file that is damaged, and what must refuse it.
type target struct {
	what string
	file string // in the folder that is copied for each damage
	call func(dir string) call
}

// Whatever is damaged in a state or a checkpoint, reading it is an error that names the file and, unless the header was hit, the
// tensor. A run never goes on with it, and nothing is detected.
func TestFlips(t *testing.T) {
	dir := room(t)
	prog := program(t, "plain")
	data := dataset(t, prog, filepath.Join(dir, "data"))
	base, args := filepath.Join(dir, "run"), append([]string{"train"}, small(data, "train.optimizer=adamw", "train.ema=.7", "train.eval_every=8", "train.checkpoint_every=5", "train.steps=100")...)
	pause(t, call{program: prog, args: append(slices.Clone(args), "-out", base)}, filepath.Join(base, "best.safetensors"))
	int8 := filepath.Join(base, "int8.safetensors")
	must(t, prog, "quantize", "-weights", filepath.Join(base, "best.safetensors"), "-images", filepath.Join(data, "train"), "-count", "4", "-out", int8)
	picture := pictures(t, filepath.Join(data, "val"))[0]
	detect := func(file string) func(string) call {
		return func(dir string) call {
			return call{program: prog, args: []string{"detect", "-weights", filepath.Join(dir, file), "-source", picture, "-threads", "1", "-quiet", "-json", filepath.Join(dir, "found.json")}}
		}
	}
	targets := []target{
		{"damaged states", "last.state.safetensors", func(dir string) call {
			return call{program: prog, args: append(slices.Clone(args), "-resume", "-out", dir)}
		}},
		{"damaged checkpoints", "best.safetensors", detect("best.safetensors")},
		{"damaged int8 checkpoints", "int8.safetensors", detect("int8.safetensors")},
	}
	for _, g := range targets {
		whole, err := os.ReadFile(filepath.Join(base, g.file))
		if err != nil {
			t.Fatal(err)
		}
		sound := filepath.Join(dir, "sound")
		if err := os.CopyFS(sound, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		if e, err := g.call(sound).run(); err != nil || e.code != 0 {
			t.Fatalf("%s is refused without damage: %v, %v", g.file, e, err)
		}
		if err := os.RemoveAll(sound); err != nil {
			t.Fatal(err)
		}
		count := newCounter(t, g.what, "files", setting.flips)
		each(count, setting.flips, func(i int) error { return g.flip(count, base, filepath.Join(dir, fmt.Sprintf("flip-%d", i)), whole, i) })
		count.row("refused with the name of the tensor or a word on the header")
	}
}

// flip damages one copy and looks at what becomes of it.
func (g target) flip(count *counter, base, dir string, whole []byte, item int) error {
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		return err
	}
	b, what, touched := spoil(draws(g.what, item), damages[item%len(damages)], whole)
	path := filepath.Join(dir, g.file)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	e, err := g.call(dir).run()
	switch {
	case err != nil:
		return err
	case e.code != 1:
		count.fail("item %d, %s: %v", item, what, e)
	case !strings.Contains(e.out, g.file):
		count.fail("item %d, %s: the file is not named: %s", item, what, e.tail())
	case touched != nil && !named(e.out, touched):
		count.fail("item %d, %s: none of the tensors that are touched is named (%.200q): %s", item, what, touched, e.tail())
	default:
		count.hold(1)
	}
	return nil
}

// pause starts a run, waits for a file that it writes and a checkpoint after it, and ends it with a signal.
func pause(t *testing.T, c call, file string) {
	t.Helper()
	p, err := c.start()
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < time.Minute && stop.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			break
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if e, err := p.wait(); err != nil || e.code != 0 {
		t.Fatalf("%v: %v", e, err)
	}
}

// pictures are the files of a folder.
func pictures(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no pictures in %s: %v", dir, err)
	}
	return all
}
