//go:build mpi

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"retinago/train"
)

// mpirun prepares a command line of the program for n processes.
func mpirun(t *testing.T, n int, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	path, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("no mpirun here: Open MPI is not installed")
	}
	c, out := program(args...)
	c.Args = append([]string{path, "--oversubscribe", "--allow-run-as-root", "-n", fmt.Sprint(n), c.Path}, args...)
	c.Path = path
	c.Env = append(c.Env, "OMP_WAIT_POLICY=passive")
	return c, out
}

// shared overrides make a run of seconds whose batch divides by 4. Its steps are small: a rounding error grows from step to step, as it does with
// another number of threads.
func shared(root string, more ...string) []string {
	return tiny(root, append([]string{"model.norm=group", "model.backbone_width=32", "model.head_norm=", "train.batch=4", "train.base_batch=4", "train.steps=20", "train.threads=1",
		"train.optimizer=sgd", "train.lr=.0001", "train.checkpoint_every=0", "train.eval_every=0", "train.seed=4"}, more...)...)
}

// lossesOf reads the losses of a run's steps from its log.
func lossesOf(t *testing.T, run string) (out []float64) {
	t.Helper()
	for line := range strings.Lines(text(t, filepath.Join(run, train.LogFile))) {
		var r struct {
			Step  int
			Loss  float64
			Stats []float64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Stats != nil {
			continue
		}
		if out = append(out, r.Loss); r.Step != len(out) {
			t.Fatalf("the log has step %d after %d steps", r.Step, len(out)-1)
		}
	}
	return out
}

// Two and four processes take 20 steps with the losses of one, with equal weights: the program compares them at the end. The same command again
// gives the same files.
func TestMPITraining(t *testing.T) {
	dir := shapes(t)
	for _, norm := range [][]string{{"model.norm=group"}, {"model.norm=frozen", "model.backbone_width=8"}} {
		one := filepath.Join(t.TempDir(), "one")
		ok(t, append([]string{"train", "-out", one}, shared(dir, norm...)...)...)
		want := lossesOf(t, one)
		if len(want) != 20 {
			t.Fatalf("%d steps", len(want))
		}
		for _, n := range []int{2, 4} {
			var files []string
			for i := range 4 / n { // two processes twice
				run := filepath.Join(t.TempDir(), "run")
				c, out := mpirun(t, n, append([]string{"train", "-out", run}, shared(dir, norm...)...)...)
				if err := c.Run(); err != nil {
					t.Fatalf("%d processes: %v\n%s", n, err, out)
				}
				for _, once := range []string{fmt.Sprintf("processes %d processes by Open MPI v", n), fmt.Sprintf("each computes %d of a batch's 4 images", 4/n), "step 20/20", "done: " + run} {
					if strings.Count(out.String(), once) != 1 {
						t.Errorf("%d processes, run %d: %q is not there once\n%s", n, i, once, out)
					}
				}
				for k, v := range lossesOf(t, run) {
					if !(math.Abs(v-want[k]) <= 1e-6*want[k]) {
						t.Errorf("%v, %d processes, step %d: loss %.9g, want %.9g", norm, n, k+1, v, want[k])
					}
				}
				files = append(files, text(t, filepath.Join(run, train.StateFile))+text(t, filepath.Join(run, train.LastModel)))
			}
			if files[0] != files[len(files)-1] {
				t.Errorf("%v, %d processes: the same command again gives other files", norm, n)
			}
		}
	}
}

// pidsOf returns the processes that mpirun has started.
func pidsOf(t *testing.T, mpirun int) (pids []int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", mpirun, mpirun))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// runs reports whether a process runs; one that has ended may wait for its parent to read its exit code.
func runs(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

// A process that is killed ends all others within 10 s, with a message and an exit code that is not 0. The run goes on from its checkpoint with
// another number of processes.
func TestMPIKill(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	long := shared(dir, "train.steps=100000", "train.checkpoint_every=1")
	c, out := mpirun(t, 2, append([]string{"train", "-out", run}, long...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return logged(run) > 2 })
	pids := pidsOf(t, c.Process.Pid)
	if len(pids) != 2 {
		t.Fatalf("mpirun has the processes %v", pids)
	}
	begin := time.Now()
	if err := syscall.Kill(pids[1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	waitFor(t, func() bool { return !runs(pids[0]) && !runs(pids[1]) })
	if d := time.Since(begin); err == nil || d > 10*time.Second {
		t.Errorf("ended %v after the kill, %v", d, err)
	}
	wants(t, out.String(), "signal 9")
	steps := len(lossesOf(t, run))
	c, out = mpirun(t, 4, "train", "-resume", run, "-extend", "-set", fmt.Sprint("train.steps=", steps+3))
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wants(t, out.String(), "processes: 2 then, 4 now", fmt.Sprintf("step %d/%[1]d", steps+3))
}

// SIGTERM to one process saves the run and ends all in order, with exit code 0.
func TestMPIInterrupt(t *testing.T) {
	dir := shapes(t)
	for rank := range 2 {
		run := filepath.Join(t.TempDir(), "run")
		c, out := mpirun(t, 2, append([]string{"train", "-out", run}, shared(dir, "train.steps=100000")...)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { return logged(run) > 2 })
		if err := syscall.Kill(pidsOf(t, c.Process.Pid)[rank], syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Fatalf("process %d: %v\n%s", rank, err, out)
		}
		if s := out.String(); strings.Count(s, "interrupted: saving step") != 1 || strings.Count(s, "continue with: retinago train -resume "+run) != 1 || strings.Contains(s, "done: ") {
			t.Errorf("process %d:\n%s", rank, s)
		}
		if _, err := os.Stat(filepath.Join(run, train.StateFile)); err != nil {
			t.Error(err)
		}
	}
}

// Errors that all processes have are printed once, with the exit code of one process.
func TestMPIErrors(t *testing.T) {
	dir := shapes(t)
	run := filepath.Join(t.TempDir(), "run")
	for _, k := range []struct {
		n, code int
		args    []string
		want    string
	}{
		{2, 2, []string{"train"}, "give the dataset to train on"},
		{2, 2, []string{"train", "-data", dir}, "retinago config new"},
		{2, 1, append([]string{"train", "-out", run}, shared(dir, "model.norm=batch")...), "model.norm batch"},
		{3, 1, append([]string{"train", "-out", run}, shared(dir)...), "train.batch 4"},
		{2, 1, append([]string{"train", "-out", run}, shared(dir, "train.lr=1e30", "train.clip_norm=0")...), "not finite"},
	} {
		c, out := mpirun(t, k.n, k.args...)
		err := c.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != k.code || strings.Count(out.String(), "retinago: ") != 1 || !strings.Contains(out.String(), k.want) {
			t.Errorf("%v: %v, want exit code %d and %q once\n%s", k.args, err, k.code, k.want, out)
		}
	}
}

// A process that fails alone, here at a checkpoint that cannot be written, prints its error and ends the others, which wait for it.
func TestMPIFailure(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	c, out := mpirun(t, 2, append([]string{"train", "-out", run}, shared(shapes(t), "train.steps=100000")...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return logged(run) > 2 })
	if err := os.Mkdir(filepath.Join(run, train.StateFile), 0o755); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := syscall.Kill(pidsOf(t, c.Process.Pid)[1], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || time.Since(begin) > 10*time.Second {
		t.Errorf("%v after %v\n%s", err, time.Since(begin), out)
	}
	wants(t, out.String(), "retinago: process 0 on ", "ends the run: ", train.StateFile)
}
