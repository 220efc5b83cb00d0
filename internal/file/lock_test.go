package file

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// lockVariable makes the test binary a process that locks what it names, says so, and ends with its standard input.
const lockVariable = "RETINAGO_TEST_LOCK"

func TestMain(m *testing.M) {
	path := os.Getenv(lockVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	io.ReadFull(os.Stdin, make([]byte, 1)) // all begin at once
	lock := Lock
	if filepath.Ext(path) != "" {
		lock = LockFile
	}
	o, err := lock(path, os.Stderr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("mine")
	io.Copy(io.Discard, os.Stdin)
	o.Release()
	os.Exit(0)
}

// locker is a process that locks.
type locker struct {
	*exec.Cmd
	in   io.WriteCloser
	says *bufio.Reader
}

func newLocker(t *testing.T, path string) *locker {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), lockVariable+"="+path)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &locker{c, in, bufio.NewReader(out)}
}

// begin lets it lock, and returns what it says.
func (l *locker) begin() string {
	l.in.Write([]byte{0})
	line, _ := l.says.ReadString('\n')
	return line
}

// Of processes that begin at once one owns a folder, or a file, and the others say who. A lock goes with its process.
func TestLockOfProcesses(t *testing.T) {
	const n = 4
	for round := range 10 {
		path := filepath.Join(t.TempDir(), "runs", "a")
		if round%2 == 1 {
			path = filepath.Join(t.TempDir(), "a.json")
		}
		var all []*locker
		for range n {
			all = append(all, newLocker(t, path))
		}
		said := make([]string, n)
		var begun sync.WaitGroup
		for i, l := range all {
			begun.Go(func() { said[i] = l.begin() })
		}
		begun.Wait()
		owner := -1
		for i, s := range said {
			switch {
			case s == "mine\n" && owner < 0:
				owner = i
			case !strings.HasPrefix(s, path+": "+ErrOwned.Error()+" (process ") || !strings.Contains(s, "write elsewhere"):
				t.Errorf("round %d, process %d: %q", round, i, s)
			}
		}
		if owner < 0 {
			t.Fatalf("round %d: no process owns it: %q", round, said)
		}
		for i, l := range all {
			if i == owner {
				continue
			}
			if err := l.Wait(); err == nil {
				t.Errorf("round %d: process %d ends well without the lock", round, i)
			}
			if want := fmt.Sprintf("process %d on ", all[owner].Process.Pid); !strings.Contains(said[i], want) {
				t.Errorf("round %d: %q does not name the owner, %s", round, said[i], want)
			}
		}
		if round < 5 { // killed, it leaves the lock file, which blocks no process
			all[owner].Process.Kill()
		} else {
			all[owner].in.Close()
		}
		all[owner].Wait()
		next := newLocker(t, path)
		if s := next.begin(); s != "mine\n" {
			t.Errorf("round %d: after the owner's end: %q", round, s)
		}
		next.in.Close()
		if err := next.Wait(); err != nil {
			t.Error(err)
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("round %d: %v, %v is left", round, left, err)
		}
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	var warnings bytes.Buffer
	deep := filepath.Join(dir, "a", "b")
	o, err := Lock(deep, &warnings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(deep, &warnings); !errors.Is(err, ErrOwned) {
		t.Errorf("twice in a process: %v", err)
	}
	o.Release()
	o.Release()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("a folder that was made and not used is left: %v", left)
	}
	// What was there stays, and so does what was written.
	if o, err = Lock(dir, &warnings); err != nil {
		t.Fatal(err)
	}
	o.Release()
	if o, err = Lock(deep, &warnings); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deep, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Release()
	if left, err := os.ReadDir(deep); err != nil || len(left) != 1 {
		t.Errorf("%v, %v; want x alone", left, err)
	}
	// A lock file that a killed process left, of whatever content, and one that cannot be written.
	stale := filepath.Join(deep, lockName)
	if err := os.WriteFile(stale, bytes.Repeat([]byte{0x1b}, 1000), 0o400); err != nil {
		t.Fatal(err)
	}
	if o, err = Lock(deep, &warnings); err != nil {
		t.Errorf("a stale lock file: %v", err)
	}
	o.Release()
	// A link is not followed: what it points to is not the lock's.
	other := filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(other, []byte("content"), 0o600), os.Symlink(other, stale)); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(deep, &warnings); err == nil {
		t.Error("a link in the lock file's place is followed")
	}
	if b, _ := os.ReadFile(other); string(b) != "content" {
		t.Errorf("the link's file has %q", b)
	}
	// Nothing to lock.
	for _, path := range []string{os.DevNull, filepath.Join(dir, "absent", "a.json")} {
		o, err := LockFile(path, &warnings)
		if o != nil || err != nil {
			t.Errorf("%s: %v, %v", path, o, err)
		}
		o.Release()
	}
	if warnings.Len() > 0 {
		t.Errorf("warnings: %s", &warnings)
	}
}

// A file system without locks gives a warning, and one goes on.
func TestLockWithoutLocks(t *testing.T) {
	defer func(f func(*os.File) error) { flock = f }(flock)
	flock = func(*os.File) error { return syscall.ENOTSUP }
	var warnings bytes.Buffer
	dir := t.TempDir()
	o, err := Lock(dir, &warnings)
	if err != nil || !strings.Contains(warnings.String(), dir+" cannot be locked") {
		t.Errorf("%v, says %q", err, &warnings)
	}
	o.Release()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
