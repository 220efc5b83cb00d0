package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Open opens a regular file for reading. A folder, a pipe, a socket or a device is an error: reading it could wait for ever or
// never end. A link to a regular file is followed. The error of a relative path that is not there names the folder that it starts from.
func Open(path string) (*os.File, fs.FileInfo, error) {
	// A pipe without a writer would make open itself wait.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w%s", syscall.ENOENT, From(path))}
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w but %s", ErrIrregular, kindOf(info.Mode()))}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// From is the folder that a relative path starts from, as " in FOLDER" for a message; empty for an absolute path.
func From(path string) string {
	if filepath.IsAbs(path) {
		return ""
	}
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	return " in " + here
}

// ErrIrregular is the cause of an error from Open and Read for what is not a regular file.
var ErrIrregular = errors.New("it is not a regular file")

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// Read returns the content of a regular file of at most the given number of bytes. A larger one is an error before it is read.
func Read(path string, most int64) ([]byte, error) {
	f, info, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > most {
		return nil, tooLarge(path, info.Size(), most)
	}
	b := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		case int64(len(b)) > most: // it grew meanwhile
			return nil, tooLarge(path, int64(len(b)), most)
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

func tooLarge(path string, size, most int64) error {
	return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has %d bytes, more than the %d that are read", size, most)}
}
