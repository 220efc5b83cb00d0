package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The check of the Docker image fails until the server is ready and while it stops. The server listens where RETINAGO_ADDR says.
func TestHealthcheck(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("the command lines of processes are not in /proc")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	t.Setenv("RETINAGO_ADDR", ":"+port)
	check := func(pid int) (string, bool) {
		out, err := exec.Command(filepath.Join("..", "..", "scripts", "healthcheck"), strconv.Itoa(pid)).CombinedOutput()
		return string(out), err == nil
	}
	if out, ok := check(os.Getpid()); !ok { // this test is no server
		t.Errorf("another verb: %s", out)
	}
	c, log := program("serve", "-weights", blank(t), "-grace", "20s")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s", what, log)
			}
		}
	}
	eventually("not healthy", func() bool { _, ok := check(c.Process.Pid); return ok })
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually("healthy while it stops", func() bool {
		out, ok := check(c.Process.Pid)
		return !ok && strings.Contains(out, "/readyz answers 503")
	})
	c.Process.Kill()
	c.Wait()
	if out, ok := check(c.Process.Pid); ok {
		t.Errorf("healthy without a process: %s", out)
	}
}
