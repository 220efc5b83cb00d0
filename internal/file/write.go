package file

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write lets fill write a whole file as WriteAt does, through a buffer.
func Write(path string, fill func(*bufio.Writer) error) error {
	return WriteAt(path, func(f *File) error {
		w := bufio.NewWriterSize(f, 1<<16)
		if err := fill(w); err != nil {
			return err
		}
		return w.Flush()
	})
}

// WriteBytes writes b as a whole file as WriteAt does.
func WriteBytes(path string, b []byte) error {
	return WriteAt(path, func(f *File) error {
		_, err := f.Write(b)
		return err
	})
}

// WriteJSON writes v as indented JSON as WriteBytes does.
func WriteJSON(path, indent string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return WriteBytes(path, b.Bytes())
}

// WriteAt lets fill write a file that is never seen half written: the bytes go to a temporary file in the same folder, which is
// synced and then renamed to path. A kill at any moment leaves the old file or the new one. A path that exists and is not a
// regular file (a device, a pipe) is written directly; there, only sequential writes work. The file is marked as written by Author.
func WriteAt(path string, fill func(*File) error) error {
	mode := fs.FileMode(0o644)
	if st, statErr := os.Stat(path); statErr == nil {
		if !st.Mode().IsRegular() {
			return writeInto(path, fill)
		}
		mode = st.Mode().Perm()
	}
	if target, linkErr := filepath.EvalSymlinks(path); linkErr == nil {
		path = target // replace what a link points to, not the link
	}
	if err := replace(path, mode, true, fill); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// replace writes a temporary file beside path, with sync makes its bytes durable, and renames it to path.
func replace(path string, mode fs.FileMode, sync bool, fill func(*File) error) (err error) {
	kill()
	tmp, err := os.CreateTemp(filepath.Dir(path), temporary(path))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("writing %s: the folder %s does not exist: make it first", path, filepath.Dir(path))
		}
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	f := &File{tmp}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w; the old file, if any, is as it was", path, cause(err))
		}
	}()
	if err = fill(f); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if sync {
		if err = f.Sync(); err != nil {
			return err
		}
	}
	f.Mark()
	if err = f.Close(); err != nil {
		return err
	}
	return Rename(f.Name(), path)
}

// temporary is the pattern of a temporary file's name beside path. File systems bound a name's length.
func temporary(path string) string {
	base := filepath.Base(path)
	return "." + base[:min(len(base), 200)] + ".*.tmp"
}

// SyncDir makes the names in a folder durable: a rename survives a power cut only after it. Folders that cannot be opened or
// synced, as on some network file systems, are left to the system.
func SyncDir(dir string) error {
	kill()
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	d.Sync()
	return nil
}

func writeInto(path string, fill func(*File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(cause(fill(&File{f})), cause(f.Close())); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// cause is an error of the system without its path, which the message that it is for has.
func cause(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

// RemoveUnfinished removes what a process that was killed in Write or WriteAt left of files in a folder.
func RemoveUnfinished(dir string, names ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, name := range names {
			if strings.HasPrefix(e.Name(), "."+name+".") && strings.HasSuffix(e.Name(), ".tmp") {
				if err := Remove(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
