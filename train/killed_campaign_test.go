//go:build campaign

package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"retinago/config"
	"retinago/internal/file"
)

// These name the configuration, the folder and the resumption of a run that the test binary makes as a process of its own.
const (
	configVariable = "RETINAGO_TEST_CONFIG"
	outVariable    = "RETINAGO_TEST_OUT"
	resumeVariable = "RETINAGO_TEST_RESUME"
	strideVariable = "RETINAGO_KILL_STRIDE"
)

func TestMain(m *testing.M) {
	path := os.Getenv(configVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	c, err := config.Load(path, nil)
	if err == nil {
		err = Run(context.Background(), c, Options{Out: os.Getenv(outVariable), Resume: os.Getenv(resumeVariable) != "", Log: os.Stdout})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Killed before its n-th change to the disk, and killed in the same way when it is resumed, a run ends as one that was not killed.
// RETINAGO_KILL_STRIDE=1 tries every n.
func TestKilledAtEveryWrite(t *testing.T) {
	stride := 7
	if s, err := strconv.Atoi(os.Getenv(strideVariable)); err == nil {
		stride = max(s, 1)
	}
	c := least(t)
	path := t.TempDir() + "/config.yaml"
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	// run reports whether the run was killed.
	run := func(out string, at int) bool {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), configVariable+"="+path, outVariable+"="+out, fmt.Sprintf("%s=%d", file.KillVariable, at))
		if _, err := os.Stat(out + "/" + StateFile); err == nil {
			cmd.Env = append(cmd.Env, resumeVariable+"=1")
		}
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
			return true
		}
		if err != nil {
			t.Fatalf("killed at %d: %v\n%s", at, err, log.String())
		}
		return false
	}
	whole := t.TempDir()
	run(whole, 0)
	want := readFolder(t, whole)
	kills := 0
	for at := 1; ; at += stride {
		out := t.TempDir()
		if !run(out, at) {
			break
		}
		kills++
		if run(out, at) {
			kills++
			run(out, 0)
		}
		same(t, fmt.Sprintf("killed at write %d", at), readFolder(t, out), want)
		left, err := os.ReadDir(out)
		if err != nil || len(left) != len(runFiles) {
			t.Errorf("killed at write %d: %v is left, %v", at, left, err)
		}
	}
	t.Logf("%d kills", kills)
	if kills < 20 {
		t.Errorf("%d kills: too few writes are seen", kills)
	}
}
