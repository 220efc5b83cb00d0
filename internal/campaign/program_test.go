//go:build campaign

package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func cores() int { return runtime.GOMAXPROCS(0) }

// tags are how each program is built.
var tags = map[string][]string{
	"opencv": {"-tags", "opencv campaign"},
	"plain":  {"-tags", "campaign"},
	"race":   {"-race", "-tags", "campaign"},
}

var (
	building sync.Mutex
	built    = map[string]string{}
)

// program builds retinago, once, and returns its path.
func program(t *testing.T, build string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if path, ok := built[build]; ok {
		return path
	}
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "campaign-"+build))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(stop, "go", append(append([]string{"build", "-o", path}, tags[build]...), "retinago/cmd/retinago")...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", build, err, out)
	}
	built[build] = path
	return path
}

// call is a command line of a program.
type call struct {
	program string
	args    []string
	env     []string // besides this process's
	stdin   string
	limit   time.Duration // from which on it hangs; 0 is 10 minutes
}

// ended is what became of a call.
type ended struct {
	code   int            // -1 where a signal ended it
	signal syscall.Signal // that ended it
	hung   bool           // it was killed at its limit
	out    string         // the last that it printed
	peak   int64          // bytes resident, where it is known
	took   time.Duration
	cpu    time.Duration // of all cores
}

func (e ended) String() string {
	switch {
	case e.hung:
		return fmt.Sprintf("no end after %s: %s", e.took.Round(time.Second), e.tail())
	case e.code < 0:
		return fmt.Sprintf("ended by signal %v: %s", e.signal, e.tail())
	}
	return fmt.Sprintf("exit code %d: %s", e.code, e.tail())
}

// tail are the last lines, or the first of a panic.
func (e ended) tail() string {
	const most = 600
	s := strings.TrimSpace(e.out)
	for _, mark := range []string{"panic:", "fatal error:", "terminate called", "runtime error:", "WARNING: DATA RACE"} {
		if i := strings.Index(s, mark); i >= 0 {
			return s[i:min(len(s), i+most)]
		}
	}
	return s[max(0, len(s)-most):]
}

// running is a process that was started and is waited for once.
type running struct {
	cmd   *exec.Cmd
	out   *last
	begin time.Time
	ctx   context.Context
	free  context.CancelFunc
}

// start begins a call in a process group of its own, so that an interrupt from the keyboard reaches it by way of this process only.
func (c call) start() (*running, error) {
	limit := c.limit
	if limit == 0 {
		limit = 10 * time.Minute
	}
	ctx, free := context.WithTimeout(stop, limit)
	r := &running{cmd: exec.CommandContext(ctx, c.program, c.args...), out: &last{}, begin: time.Now(), ctx: ctx, free: free}
	r.cmd.Env = append(os.Environ(), c.env...)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if c.stdin != "" {
		r.cmd.Stdin = strings.NewReader(c.stdin)
	}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.cmd.WaitDelay = 10 * time.Second
	if err := r.cmd.Start(); err != nil {
		free()
		return nil, err
	}
	return r, nil
}

// wait waits for the end. An error is of this machine, not of the program.
func (r *running) wait() (ended, error) {
	defer r.free()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && r.ctx.Err() == nil {
		return ended{}, err
	}
	if stop.Err() != nil {
		return ended{}, stop.Err()
	}
	e := ended{code: r.cmd.ProcessState.ExitCode(), hung: r.ctx.Err() != nil, out: r.out.String(), took: time.Since(r.begin)}
	status := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		e.signal = status.Signal()
	}
	e.cpu = r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()
	return e, nil
}

func (c call) run() (ended, error) {
	r, err := c.start()
	if err != nil {
		return ended{}, err
	}
	return r.wait()
}

// must runs a call that prepares something; the part cannot go on where it fails.
func must(t *testing.T, program string, args ...string) ended {
	t.Helper()
	e, err := call{program: program, args: args}.run()
	if err != nil || e.code != 0 {
		t.Fatalf("retinago %s: %v, %v", strings.Join(args, " "), e, err)
	}
	return e
}

// last keeps the end of what is written to it.
type last struct {
	mu sync.Mutex
	b  []byte
}

var _ io.Writer = (*last)(nil)

const lastKept = 128 << 10

func (l *last) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b = append(l.b, b...); len(l.b) > 2*lastKept {
		l.b = append(l.b[:0], l.b[len(l.b)-lastKept:]...)
	}
	return len(b), nil
}

func (l *last) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}
