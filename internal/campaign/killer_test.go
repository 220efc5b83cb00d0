//go:build campaign

package campaign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"retinago/internal/file"
)

// killer chooses a moment for a process's end.
type killer struct {
	name string
	// arm may add to the call before it starts. What it returns is called with the running process, and what that returns when the
	// process has ended.
	arm func(draw *rand.Rand, c *call, r *recipe, dir string) (func(*running) (disarm func()), error)
}

// killers are the ways to end a process: at any time; at a system call that changes a folder of the run, as the kernel reports it;
// before a change to the disk, by the program's own hook; and a signal that asks for an end.
var killers = []*killer{
	{"at a moment", func(draw *rand.Rand, c *call, r *recipe, dir string) (func(*running) func(), error) {
		return after(time.Duration(draw.Float64()*float64(r.took)), syscall.SIGKILL), nil
	}},
	{"at a write", func(draw *rand.Rand, c *call, r *recipe, dir string) (func(*running) func(), error) {
		c.env = append(c.env, fmt.Sprintf("%s=%d", file.KillVariable, 1+draw.Int64N(max(r.writes, 1))))
		return func(*running) func() { return func() {} }, nil
	}},
	{"at a system call", func(draw *rand.Rand, c *call, r *recipe, dir string) (func(*running) func(), error) {
		w, err := watch(dir)
		if err != nil {
			return nil, err
		}
		n := 1 + draw.Int64N(max(r.events, 1))
		return func(p *running) func() {
			go w.at(n, func() { p.cmd.Process.Kill() })
			return w.close
		}, nil
	}},
	{"by a signal that asks", func(draw *rand.Rand, c *call, r *recipe, dir string) (func(*running) func(), error) {
		ask := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[draw.IntN(3)]
		return after(time.Duration((.1+.9*draw.Float64())*float64(r.took)), ask), nil
	}},
}

func after(d time.Duration, s syscall.Signal) func(*running) func() {
	return func(p *running) func() {
		timer := time.AfterFunc(d, func() { p.cmd.Process.Signal(s) })
		return func() { timer.Stop() }
	}
}

// size runs a recipe without interruption, and counts its changes to the disk and the kernel's events.
func (r *recipe) size() error {
	if err := os.MkdirAll(r.want, 0o755); err != nil {
		return err
	}
	w, err := watch(r.want)
	if err != nil {
		return err
	}
	go w.at(math.MaxInt64, nil)
	list := r.want + ".writes"
	e, err := call{program: r.program, args: append(slices.Clone(r.begin), "-out", r.want), env: []string{file.CountVariable + "=" + list}}.run()
	w.close()
	if err != nil {
		return err
	}
	if e.code != 0 {
		return errors.New(e.String())
	}
	info, err := os.Stat(list)
	if err != nil {
		return err
	}
	r.took, r.writes, r.events = e.took, info.Size(), w.count.Load()
	return os.Remove(list)
}

// watcher receives changes below a folder from the kernel.
type watcher struct {
	f     *os.File
	count atomic.Int64
	paths map[uint32]string
}

const watched = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_MOVED_TO | syscall.IN_DELETE | syscall.IN_CLOSE_WRITE | syscall.IN_ATTRIB

func watch(dir string) (*watcher, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	w := &watcher{f: os.NewFile(uintptr(fd), "inotify"), paths: map[uint32]string{}}
	return w, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return w.add(path)
	})
}

func (w *watcher) add(dir string) error {
	c, err := w.f.SyscallConn()
	if err != nil {
		return err
	}
	var id int
	if e := c.Control(func(fd uintptr) { id, err = syscall.InotifyAddWatch(int(fd), dir, watched) }); e != nil {
		return e
	}
	if err == nil {
		w.paths[uint32(id)] = dir
	}
	return err
}

// at calls act at the n-th event. Folders that come are watched too.
func (w *watcher) at(n int64, act func()) {
	b := make([]byte, 64<<10)
	for {
		got, err := w.f.Read(b)
		if err != nil {
			return // closed
		}
		for at := 0; at+syscall.SizeofInotifyEvent <= got; {
			id, mask := binary.NativeEndian.Uint32(b[at:]), binary.NativeEndian.Uint32(b[at+4:])
			name := b[at+syscall.SizeofInotifyEvent:][:binary.NativeEndian.Uint32(b[at+12:])]
			at += syscall.SizeofInotifyEvent + len(name)
			if w.count.Add(1) == n {
				act()
				return
			}
			if mask&(syscall.IN_ISDIR|syscall.IN_CREATE) == syscall.IN_ISDIR|syscall.IN_CREATE {
				for len(name) > 0 && name[len(name)-1] == 0 {
					name = name[:len(name)-1]
				}
				w.add(filepath.Join(w.paths[id], string(name))) // it may be gone
			}
		}
	}
}

func (w *watcher) close() { w.f.Close() }
