//go:build campaign

package campaign

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Mutated images of every format go through detect: it ends with 0, 3 or 4 and counts each of them, in bounded memory and time.
func TestPictures(t *testing.T) {
	dir := room(t)
	model := model(t, program(t, "plain"), dir)
	all := seeds(t)
	for _, f := range order {
		if len(all[f]) == 0 {
			t.Fatalf("there is no seed of %s", f)
		}
		fmt.Printf("%d seeds of %s\n", len(all[f]), f)
	}
	for _, build := range setting.builds {
		s := &sieve{program: program(t, build), model: model, dir: dir, kept: outFolder(t, "pictures-"+build),
			count: newCounter(t, "mutated pictures through detect, "+build, "pictures", setting.pictures)}
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

// The four hostile images, and sound ones that are as large as may be, one by one.
func TestSinglePictures(t *testing.T) {
	dir := room(t)
	model := model(t, program(t, "plain"), dir)
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
			s := &sieve{program: program(t, build), model: model, dir: dir, kept: outFolder(t, group.what+"-"+build),
				count: newCounter(t, group.what+" pictures through detect, "+build, "pictures", len(names))}
			each(s.count, len(names), func(i int) error { return s.sift(names[i : i+1]) })
			s.count.row("exit codes 0, 3 and 4; %d readable; at most %.1f s of a core and %d MB", s.readable, s.oneCPU.Seconds(), max(s.one, s.large)>>20)
		}
	}
}

// model makes a checkpoint that finds something.
func model(t *testing.T, program, dir string) string {
	t.Helper()
	data := dataset(t, program, filepath.Join(dir, "data"))
	out := filepath.Join(dir, "model")
	must(t, program, append(append([]string{"train"}, small(data, "train.optimizer=adamw", "train.eval_every=0")...), "-out", out)...)
	return filepath.Join(out, "last.safetensors")
}
