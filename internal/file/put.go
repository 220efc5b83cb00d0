package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// Put writes one of many small files, over one that is there. A kill leaves the old file or the new one; a power cut may lose
// those since SyncAll.
func Put(path string, b []byte) error {
	return replace(path, 0o644, false, func(f *File) error {
		_, err := f.Write(b)
		return err
	})
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
