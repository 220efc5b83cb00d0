package file

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockName is the file in a folder that its owner locks. Its presence means nothing: what counts is the lock, which goes with the
// process that has it.
const lockName = ".retinago.lock"

// ErrOwned is the cause of an error from Lock and LockFile for what another process writes.
var ErrOwned = errors.New("another process writes there")

// Owner is the right to write a folder or a file, which one process at a time has. It ends with Release or with the process,
// however that ends. A nil Owner owns nothing.
type Owner struct {
	lock *os.File
	made []string // folders that were made for it, the deepest first
}

// Lock makes the caller the only owner of a folder, which is made where it is absent. Where the file system has no locks, warn
// receives a line and the caller goes on without.
func Lock(dir string, warn io.Writer) (*Owner, error) {
	return own(dir, filepath.Join(dir, lockName), true, warn)
}

// LockFile makes the caller the only owner of a file that is to be written. The lock lies beside the file. What is no regular file,
// such as a pipe, has no owner. A folder that does not exist is no error here: writing the file reports it.
func LockFile(path string, warn io.Writer) (*Owner, error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, nil
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, nil
	}
	base := filepath.Base(path)
	if len(base) > 200 { // with what is added, a name may be longer than file systems take
		base = fmt.Sprintf("%s-%x", base[:150], sha256.Sum256([]byte(base)))
	}
	return own(path, filepath.Join(filepath.Dir(path), "."+base+".lock"), false, warn)
}

// Release gives the ownership back. The lock file goes, and so do folders that Lock made and that are empty.
func (o *Owner) Release() {
	if o == nil || o.lock == nil {
		return
	}
	Remove(o.lock.Name()) // before the lock ends: afterwards it may be another's
	o.lock.Close()
	o.lock = nil
	for _, dir := range o.made {
		if Remove(dir) != nil {
			return
		}
	}
}

// own locks a lock file for what it stands for.
func own(what, name string, folder bool, warn io.Writer) (*Owner, error) {
	o := &Owner{}
	for range 1000 {
		if folder {
			if err := o.makeFolder(what); err != nil {
				return nil, err
			}
		}
		kill()
		const flags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|flags, 0o666)
		if errors.Is(err, fs.ErrPermission) { // left by another user's process
			f, err = os.OpenFile(name, os.O_RDONLY|flags, 0)
		}
		if folder && errors.Is(err, fs.ErrNotExist) { // the folder's last owner has just removed it
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", what, err)
		}
		err = flock(f)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(owned(what, f), f.Close())
		}
		if err != nil {
			fmt.Fprintf(warn, "warning   %s cannot be locked (%v): let no other process write there\n", what, err)
			Remove(name)
			f.Close()
			return o, nil
		}
		// Its last owner may have removed the file between opening and locking.
		mine, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if there, err := os.Stat(name); err != nil || !os.SameFile(mine, there) {
			f.Close()
			continue
		}
		o.lock = f
		o.sign()
		return o, nil
	}
	return nil, fmt.Errorf("locking %s: %s comes and goes", what, name)
}

// makeFolder makes a folder, with those above it.
func (o *Owner) makeFolder(dir string) error {
	var absent []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		absent = append(absent, d)
	}
	if len(absent) == 0 {
		return nil
	}
	kill()
	o.made = absent
	return os.MkdirAll(dir, 0o755)
}

// flock is a variable for tests of file systems without locks.
var flock = func(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// sign writes into the lock file who has it, for others' errors. Nothing else reads it.
func (o *Owner) sign() {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	f := File{o.lock}
	f.Truncate(0)
	f.WriteAt(fmt.Appendf(nil, "process %d on %s, since %s\n", os.Getpid(), host, time.Now().Format(time.DateTime)), 0)
}

// owned is the error that names the owner of a lock.
func owned(what string, f *os.File) error {
	who := ""
	for range 20 { // who has just locked it may not have signed yet
		b := make([]byte, 256)
		n, _ := f.ReadAt(b, 0)
		if line, _, whole := bytes.Cut(b[:n], []byte("\n")); whole {
			who = " (" + strings.Trim(fmt.Sprintf("%q", line), `"`) + ")"
			break
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%s: %w%s: wait until it ends or stop it, or write elsewhere", what, ErrOwned, who)
}
