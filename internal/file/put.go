package file

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Put writes one of many small files, over one that is there. A kill leaves the old file or the new one; a power cut may lose
// those since SyncAll.
func Put(path string, b []byte) (err error) {
	kill()
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary(path))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f := &File{tmp}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return Rename(f.Name(), path)
}

// SyncAll makes all files of a folder's file system durable. File systems that cannot do so are left to themselves.
func SyncAll(dir string) error {
	kill()
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	unix.Syncfs(int(d.Fd()))
	return nil
}

// temporary is the pattern of a temporary file's name beside path. File systems bound a name's length.
func temporary(path string) string {
	base := filepath.Base(path)
	return "." + base[:min(len(base), 200)] + ".*.tmp"
}
