package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// attribute is the extended attribute of a file that this module wrote: its size in bytes, the time of its last change in nanoseconds,
// and who wrote it. Where the file changes later, the attribute no longer fits. File systems without such attributes keep none.
const attribute = "user.retinago"

// unfinished is the size in the attribute of a file that is still being written, or whose writer was killed.
const unfinished = -1

var author atomic.Pointer[string]

// SignAs sets the name under which this process marks the files that it writes, such as "detect".
func SignAs(name string) { author.Store(&name) }

// Author returns the name of SignAs, or "retinago" without.
func Author() string {
	if name := author.Load(); name != nil {
		return *name
	}
	return "retinago"
}

// Mark records in a file that is written completely who wrote it. A later change of its content takes the mark's effect away.
func (f *File) Mark() {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		mark(int(f.Fd()), info.Size(), info.ModTime().UnixNano())
	}
}

// MarkUnfinished marks a file that is about to be written: it stays replaceable if its writer is killed.
func MarkUnfinished(path string) {
	if f, err := os.Open(path); err == nil {
		mark(int(f.Fd()), unfinished, 0)
		f.Close()
	}
}

// MarkWritten is File.Mark of the file at a path, for files that C code writes.
func MarkWritten(path string) {
	if f, err := os.Open(path); err == nil {
		(&File{f}).Mark()
		f.Close()
	}
}

// mark sets the attribute. A file system without attributes is no error: the file then counts as not marked.
func mark(fd int, size, changed int64) {
	unix.Fsetxattr(fd, attribute, fmt.Appendf(nil, "%d %d %s", size, changed, Author()), 0)
}

// Mine reports whether the file at a path was written by Author, in this process or an earlier one, and was not changed since. A link
// is followed.
func Mine(path string) bool {
	b := make([]byte, 256)
	n, err := unix.Getxattr(path, attribute, b)
	if err != nil {
		return false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	parts := strings.SplitN(string(b[:n]), " ", 3)
	if len(parts) < 3 || parts[2] != Author() {
		return false
	}
	size, sizeErr := strconv.ParseInt(parts[0], 10, 64)
	changed, timeErr := strconv.ParseInt(parts[1], 10, 64)
	if errors.Join(sizeErr, timeErr) != nil {
		return false
	}
	return size == unfinished || size == info.Size() && changed == info.ModTime().UnixNano()
}

// Create opens a file that grows while the process works. One that is there becomes empty; one with other names (hard links) keeps its
// content under these.
func Create(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Sys().(*syscall.Stat_t).Nlink > 1 {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		if err := Remove(path); err != nil {
			return nil, err
		}
	}
	kill()
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		mark(int(f.Fd()), unfinished, 0)
	}
	return &File{f}, nil
}
