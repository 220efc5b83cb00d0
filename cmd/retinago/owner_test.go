package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/internal/file"
	"retinago/train"
)

// Of two runs that begin at once in a folder one goes on, and the other ends with exit code 1, a word, and nothing touched.
func TestTwoRunsAtOnce(t *testing.T) {
	dir := shapes(t)
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		run := filepath.Join(t.TempDir(), "run")
		args := append([]string{"train", "-out", run}, tiny(dir, "train.steps=4", "data.val.source=")...)
		var all [2]*exec.Cmd
		var out [2]*bytes.Buffer
		for i := range all {
			all[i], out[i] = program(args...)
			if err := all[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		done, refused := 0, 0
		for i, c := range all {
			c.Wait()
			switch text := out[i].String(); {
			case c.ProcessState.ExitCode() == 0 && strings.Contains(text, "done: "):
				done++
			case c.ProcessState.ExitCode() == 1 && (strings.Contains(text, run+": "+file.ErrOwned.Error()) || strings.Contains(text, "already holds a run")):
				refused++
			default:
				t.Errorf("exit code %d\n%s", c.ProcessState.ExitCode(), text)
			}
		}
		if done != 1 || refused != 1 {
			t.Errorf("round %d: %d went on, %d were refused", round, done, refused)
		}
		if n := logged(run); n != 4 {
			t.Errorf("round %d: %d lines in the log of 4 steps", round, n)
		}
	}
}

// What another process owns no verb writes, and it says so before it reads anything.
func TestOwnedOutputs(t *testing.T) {
	dir := t.TempDir()
	folder, path := filepath.Join(dir, "out"), filepath.Join(dir, "out.json")
	for _, lock := range []func() (*file.Owner, error){
		func() (*file.Owner, error) { return file.Lock(folder, io.Discard) },
		func() (*file.Owner, error) { return file.LockFile(path, io.Discard) },
	} {
		o, err := lock()
		if err != nil {
			t.Fatal(err)
		}
		defer o.Release()
	}
	const absent = "absent"
	for _, args := range [][]string{
		{"train", "-config", absent, "-out", folder},
		{"train", "-config", absent, "-out", folder, "-resume"},
		{"bench", "losses", "-config", absent, "-out", folder},
		{"bench", "view", "-weights", absent, "-data", absent, "-out", folder},
		{"detect", "-weights", absent, "-source", absent, "-out", folder},
		{"detect", "-weights", absent, "-source", absent, "-yolo", folder},
		{"detect", "-weights", absent, "-source", absent, "-crops", folder},
		{"detect", "-weights", absent, "-source", absent, "-json", path},
		{"detect", "-weights", absent, "-source", absent, "-out", filepath.Join(dir, "other"), "-jsonl", path},
		{"data", "shapes", "-out", folder},
		{"data", "convert", "-data", absent, "-to", "yolo", "-out", folder},
		{"data", "convert", "-data", absent, "-to", "coco", "-out", path},
		{"quantize", "-weights", absent, "-images", absent, "-out", path},
		{"export", "-weights", absent, "-to", "torchvision", "-out", path},
	} {
		code, out := call(t, args...)
		if code != 1 || !strings.Contains(out, file.ErrOwned.Error()) {
			t.Errorf("%s: exit code %d, %s", strings.Join(args, " "), code, out)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "[^.]*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v was written", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err == nil {
		t.Error("a folder that was not used is left")
	}
}

// A terminal that closes ends a run as Ctrl-C does, even if the signal comes several times. Its output goes nowhere.
func TestHangup(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	c, _ := program(append([]string{"train", "-out", run}, tiny(dir, "train.steps=100000", "train.checkpoint_every=0", "data.val.source=")...)...)
	c.Stdout, c.Stderr = nil, nil
	out, err := c.StdoutPipe()
	if err == nil {
		// A signal that is handled here has its default in the program, even if these tests run under nohup.
		handled := make(chan os.Signal, 1)
		signal.Notify(handled, syscall.SIGHUP)
		err = c.Start()
		signal.Stop(handled)
	}
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return logged(run) > 2 })
	out.Close()
	n := logged(run)
	waitFor(t, func() bool { return logged(run) > n+2 }) // it goes on
	for range 3 {
		if err := c.Process.Signal(syscall.SIGHUP); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{train.StateFile, train.LastModel} {
		if _, err := os.Stat(filepath.Join(run, f)); err != nil {
			t.Error(err)
		}
	}
}

// A run whose reader leaves after a line, as head does, ends as it would have; a verb that only prints ends without a word.
func TestClosedOutput(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	for _, k := range []struct {
		args []string
		want syscall.Signal // that ends it
	}{
		{append([]string{"train", "-out", run}, tiny(dir, "train.steps=4")...), 0},
		{[]string{"anchors", "show"}, syscall.SIGPIPE},
	} {
		c, _ := program(k.args...)
		var says bytes.Buffer
		c.Stdout, c.Stderr = nil, &says
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stdout = w
		if k.want != 0 {
			r.Close()
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if k.want == 0 {
			bufio.NewReaderSize(r, 16).ReadString('\n')
			r.Close()
		}
		c.Wait()
		if status := c.ProcessState.Sys().(syscall.WaitStatus); k.want == 0 && status.ExitStatus() != 0 || k.want != 0 && status.Signal() != k.want || says.Len() > 0 {
			t.Errorf("%s: %v\n%s", k.args[0], c.ProcessState, says.String())
		}
	}
	for _, f := range []string{train.StateFile, train.LastModel, train.BestModel} {
		if _, err := os.Stat(filepath.Join(run, f)); err != nil {
			t.Error(err)
		}
	}
}
