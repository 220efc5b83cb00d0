package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// window is how much of a pickle is in memory at a time. Longer texts and byte strings stay in the file.
const window = 64 << 10

// input reads the instructions of a pickle from at on.
type input struct {
	r    io.ReaderAt
	size int64
	at   int64
	base int64  // of buf
	buf  []byte // at most a window
	took int64  // bytes read, those of blobs aside
}

// blob is a long text or byte string in the file.
type blob struct {
	r      io.ReaderAt
	at     int64
	size   int64
	latin1 bool // text whose characters are bytes, in UTF-8
}

// see returns the next n bytes, which hold until the next call; fewer only where fewer is right.
func (in *input) see(n int, fewer bool) ([]byte, error) {
	if left := in.size - in.at; int64(n) > left {
		if !fewer {
			return nil, fmt.Errorf("the pickle is cut at byte %d", in.at)
		}
		n = int(left)
	}
	if in.at < in.base || in.at+int64(n) > in.base+int64(len(in.buf)) {
		if in.buf == nil {
			in.buf = make([]byte, min(window, in.size))
		}
		in.base, in.buf = in.at, in.buf[:min(int64(cap(in.buf)), in.size-in.at)]
		if got, err := in.r.ReadAt(in.buf, in.at); got < len(in.buf) {
			return nil, err
		}
	}
	from := int(in.at - in.base)
	return in.buf[from : from+n], nil
}

// take returns the next n bytes, at most a window, which hold until the next call.
func (in *input) take(n int) ([]byte, error) {
	b, err := in.see(n, false)
	if err != nil {
		return nil, err
	}
	in.at += int64(n)
	in.took += int64(n)
	return b, nil
}

// number reads n bytes as a little-endian number.
func (in *input) number(n int) (uint64, error) {
	b, err := in.take(n)
	if err != nil {
		return 0, err
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:]), nil
}

// maxLine bounds a line, and the name of a class.
const maxLine = 4096

// line reads up to the next line feed.
func (in *input) line() (string, error) {
	b, err := in.see(maxLine, true)
	if err != nil {
		return "", err
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return "", errors.New("a line without end")
	}
	if b, err = in.take(i + 1); err != nil {
		return "", err
	}
	return string(b[:i]), nil
}

// counted reads a string whose length takes n bytes: b, or far where it is long.
func (in *input) counted(n int) (b []byte, far *blob, err error) {
	size, err := in.number(n)
	if err != nil {
		return nil, nil, err
	}
	if size > uint64(in.size-in.at) {
		return nil, nil, fmt.Errorf("the pickle is cut at byte %d", in.at)
	}
	if size > window {
		far = &blob{r: in.r, at: in.at, size: int64(size)}
		in.at += int64(size)
		return nil, far, nil
	}
	b, err = in.take(int(size))
	return b, nil, err
}
