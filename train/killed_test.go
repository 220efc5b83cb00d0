package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
)

// least is a run of a second whose evaluations and checkpoints have different periods, and which ends with an evaluation of its own.
func least(t *testing.T) config.Config {
	t.Helper()
	c := small(t)
	c.Model.BackboneWidth = 8
	c.Data.MaxSide = 64
	c.Train.Epochs, c.Train.Steps, c.Train.Threads = 0, 7, 1
	c.Train.EvalEvery, c.Train.CheckpointEvery, c.Train.LR, c.Train.EMA, c.Train.Seed = 2, 3, 3e-3, .5, 4
	c.Infer.Score = .001 // something is found from the first step on: the AP rises with each evaluation
	return c
}

// runFiles are those that a run leaves.
var runFiles = []string{LogFile, StateFile, BestModel, LastModel, ConfigFile}

// folder is what is in a run's folder, by name.
type folder map[string][]byte

func readFolder(t *testing.T, dir string) folder {
	t.Helper()
	f := folder{}
	for _, name := range runFiles {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			f[name] = b
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return f
}

// with is a folder with some files of another.
func (f folder) with(other folder, names ...string) folder {
	out := folder{}
	for name, b := range f {
		out[name] = b
	}
	for _, name := range names {
		if delete(out, name); other[name] != nil {
			out[name] = other[name]
		}
	}
	return out
}

func (f folder) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range f {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// watcher keeps what is in the folder before each step's hooks and before the run's end.
type watcher struct {
	t    *testing.T
	dir  string
	seen []folder
}

func (w *watcher) Reads(int) Reads { return ReadsModel }
func (w *watcher) Begin(context.Context, *Loop) error {
	return w.Step(context.Background(), nil, Step{})
}
func (w *watcher) End(context.Context, *Loop, error) error {
	return w.Step(context.Background(), nil, Step{})
}
func (w *watcher) Step(context.Context, *Loop, Step) error {
	w.seen = append(w.seen, readFolder(w.t, w.dir))
	return nil
}

// timeless is a log without what a clock or the system says.
func timeless(t *testing.T, log []byte) string {
	t.Helper()
	var out strings.Builder
	for line := range bytes.Lines(log) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		for _, k := range []string{"step_s", "wait_s", "eval_s", "rss_mb"} {
			delete(r, k)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n", b)
	}
	return out.String()
}

// same compares a run with one that nothing interrupted.
func same(t *testing.T, moment string, got, want folder) {
	t.Helper()
	for _, name := range runFiles {
		a, b := got[name], want[name]
		if name == LogFile {
			a, b = []byte(timeless(t, a)), []byte(timeless(t, b))
		}
		if !bytes.Equal(a, b) {
			text := ""
			if name == LogFile {
				text = fmt.Sprintf(":\n%s\n%s", a, b)
			}
			t.Errorf("%s: %s differs%s", moment, name, text)
		}
	}
}

// A run that was killed between any two of its files goes on and ends as one that was not killed: tensors, log, models.
func TestKilledBetweenFiles(t *testing.T) {
	c := least(t)
	dir := t.TempDir()
	w := &watcher{t: t, dir: dir}
	var log bytes.Buffer
	if err := Run(context.Background(), c, Options{Out: dir, Log: &log, Hooks: []Hook{w}}); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	want := readFolder(t, dir)
	lines := timeless(t, want[LogFile])
	if n := strings.Count(lines, "\n"); n != 7+4 {
		t.Fatalf("%d lines of 7 steps and 4 evaluations:\n%s", n, lines)
	}
	moments := 0
	for i, after := range append(w.seen[1:], want) {
		before := w.seen[i]
		if bytes.Equal(before[StateFile], after[StateFile]) {
			continue // nothing was saved
		}
		cut := before.with(after, LogFile)
		cut[LogFile] = cut[LogFile][:len(cut[LogFile])-20]
		for _, k := range []struct {
			moment string
			folder folder
		}{
			{"in a line of the log", cut},
			{"before the state", before.with(after, LogFile)},
			{"before the models", before.with(after, LogFile, StateFile)},
			{"before the last model", before.with(after, LogFile, StateFile, BestModel)},
		} {
			moments++
			if testing.Short() && moments%3 > 0 {
				continue
			}
			out := k.folder.write(t)
			log.Reset()
			_, resume := k.folder[StateFile]
			if err := Run(context.Background(), c, Options{Out: out, Log: &log, Resume: resume}); err != nil {
				t.Fatalf("save %d, %s: %v\n%s", i, k.moment, err, log.String())
			}
			same(t, fmt.Sprintf("save %d, %s", i, k.moment), readFolder(t, out), want)
		}
	}
	if moments < 16 {
		t.Errorf("%d moments: the run has too few checkpoints", moments)
	}
}

// Lines that are there twice go, and what a log lacks is named; neither keeps a run from going on.
func TestLogIsCompared(t *testing.T) {
	line := func(step int) string { return fmt.Sprintf(`{"step":%d,"loss":1}`, step) + "\n" }
	stats := func(step int) string {
		return fmt.Sprintf(`{"step":%d,"stats":[1,2,3,4,5,6,7,8,9,10,11,12]}`, step) + "\n"
	}
	for _, k := range []struct {
		name      string
		log       string
		step      int
		evaluated []int
		want      string
		says      []string
	}{
		{"whole", line(1) + line(2) + stats(2), 2, []int{2}, line(1) + line(2) + stats(2), nil},
		{"steps after the state", line(1) + line(2) + line(3), 2, nil, line(1) + line(2), []string{"1 lines", "after the last checkpoint"}},
		{"an evaluation after the state", line(1) + line(2) + stats(2), 2, nil, line(1) + line(2), []string{"1 lines"}},
		{"twice", line(1) + line(1) + stats(1) + stats(1) + line(2), 2, []int{1}, line(1) + stats(1) + line(2), []string{"2 lines"}},
		{"missing", line(1) + line(3) + line(7) + line(8), 9, []int{4}, line(1) + line(3) + line(7) + line(8), []string{"lacks the steps 2, 4-6, 9", "the evaluations of the steps 4"}},
		{"damaged", line(1) + "\x00\x00\n" + `{"step":3,"stats":[]}` + "\n" + line(2)[:5], 1, nil, line(1), []string{"3 lines", "cannot be read"}},
		{"none", "", 3, nil, "", []string{"lacks the steps 1-3"}},
		{"a fresh start", line(1), 0, nil, "", []string{"1 lines"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			dir := folder{LogFile: []byte(k.log)}.write(t)
			var says bytes.Buffer
			j, err := newJournal(dir, k.step, k.evaluated, &says)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.close(); err != nil {
				t.Error(err)
			}
			if got := string(readFolder(t, dir)[LogFile]); got != k.want {
				t.Errorf("the log is\n%s\nwant\n%s", got, k.want)
			}
			if len(k.says) == 0 && says.Len() > 0 || slices.ContainsFunc(k.says, func(s string) bool { return !strings.Contains(says.String(), s) }) {
				t.Errorf("says %q, want %q", &says, k.says)
			}
		})
	}
}
