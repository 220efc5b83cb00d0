package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Stream opens a file to be read from begin to end, at most so many bytes. It is regular, or one that the process was given open:
// /dev/stdin, or /dev/fd/N as shells make of <(...). What has more bytes is an error, of a regular file before it is read.
func Stream(path string, most int64) (io.ReadCloser, error) {
	f, info, err := Open(path)
	if err != nil && errors.Is(err, ErrIrregular) && given(path) {
		if f, err = os.Open(path); err == nil {
			return &bounded{f, path, most, most}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, errors.Join(tooLarge(path, info.Size(), most), f.Close())
	}
	return &bounded{f, path, most, most}, nil
}

// Irregular is the error that Open would have for a path, nil for a regular file and for one that the process was given open.
func Irregular(path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case st.Mode().IsRegular() || given(path) && !st.IsDir():
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w but %s", ErrIrregular, kindOf(st.Mode()))}
}

// given reports whether a path names an open file of this process.
func given(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// bounded is a file of which left bytes may be read.
type bounded struct {
	*os.File
	path       string
	left, most int64
}

func (b *bounded) Read(p []byte) (int, error) {
	// One byte more distinguishes a file of exactly so many bytes from a larger one.
	n, err := b.File.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n - 1, fmt.Errorf("%s has more than the %d bytes that are read", b.path, b.most)
	}
	return n, err
}
