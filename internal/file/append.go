package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Append opens a file of lines, which is made where it is absent, to write at its end. An incomplete last line, which a process
// that was killed leaves, is cut off.
func Append(path string) (*File, error) {
	kill()
	open, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, err
	}
	f := &File{open}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w but %s", ErrIrregular, kindOf(info.Mode()))}
	}
	if err == nil {
		err = f.cutLine(info.Size())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// cutLine ends a file of the given size after its last end of a line.
func (f *File) cutLine(size int64) error {
	const part = 1 << 12
	for end := size; end > 0; {
		from := max(end-part, 0)
		b := make([]byte, end-from)
		if _, err := f.ReadAt(b, from); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			if keep := from + int64(i) + 1; keep < size {
				return f.Truncate(keep)
			}
			return nil
		}
		end = from
	}
	if size == 0 {
		return nil
	}
	return f.Truncate(0)
}
