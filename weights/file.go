package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// chunk is how many bytes are converted at a time.
const chunk = 1 << 20

// File is an open safetensors file. It may be read from several goroutines. Close it after use.
type File struct {
	Metadata map[string]string

	path    string
	r       io.ReaderAt
	close   func() error
	start   int64 // of the data
	entries []entry
	byName  map[string]int
}

// Open reads and validates the header.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	var file *File
	if err == nil {
		file, err = read(path, f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	file.close = f.Close
	return file, nil
}

// read validates size bytes of r.
func read(path string, r io.ReaderAt, size int64) (*File, error) {
	var head [8]byte
	if size < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes: this is not a safetensors file (PyTorch's .pth is another format)", n)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("a header of %d bytes in a file of %d: it is cut off", n, size)
	}
	text := make([]byte, n)
	if _, err := r.ReadAt(text, 8); err != nil {
		return nil, err
	}
	f := &File{path: path, r: r, start: 8 + int64(n), byName: map[string]int{}}
	var err error
	if f.entries, f.Metadata, err = parseHeader(text, size-f.start); err != nil {
		return nil, err
	}
	for i, e := range f.entries {
		f.byName[e.name] = i
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

// Path is where the file was opened.
func (f *File) Path() string { return f.path }

// Names are the tensors in the order of the file.
func (f *File) Names() []string {
	out := make([]string, len(f.entries))
	for i, e := range f.entries {
		out[i] = e.name
	}
	return out
}

// Has says whether there is a tensor of that name.
func (f *File) Has(name string) bool {
	_, ok := f.byName[name]
	return ok
}

// Info returns the stored type ("F32", "F16", ...) and the shape of a tensor, without reading it.
func (f *File) Info(name string) (dtype string, shape []int, ok bool) {
	i, ok := f.byName[name]
	if !ok {
		return "", nil, false
	}
	return f.entries[i].dtype, slices.Clone(f.entries[i].shape), true
}

// Tensor reads a tensor and converts it to float32. Integers beyond 2^24 are rounded; see Ints. The error of a name that
// is not there is an fs.ErrNotExist.
func (f *File) Tensor(name string) (Tensor, error) {
	e, err := f.entry(name)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: name, Shape: slices.Clone(e.shape)}
	if err := floats(nil, nil, e.dtype); err != nil {
		return Tensor{}, f.wrap(name, err)
	}
	t.Data = make([]float32, e.count)
	err = f.chunks(e, func(at int, b []byte) error {
		return floats(t.Data[at:at+len(b)/sizes[e.dtype]], b, e.dtype)
	})
	if err != nil {
		return Tensor{}, f.wrap(name, err)
	}
	return t, nil
}

// Ints reads an I32 or I64 tensor exactly.
func (f *File) Ints(name string) ([]int64, error) {
	e, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	if e.dtype != "I32" && e.dtype != "I64" {
		return nil, f.wrap(name, fmt.Errorf("type %s, want I32 or I64", e.dtype))
	}
	out := make([]int64, e.count)
	err = f.chunks(e, func(at int, b []byte) error {
		if e.dtype == "I32" {
			for i := range len(b) / 4 {
				out[at+i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
			}
			return nil
		}
		for i := range len(b) / 8 {
			out[at+i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		return nil
	})
	if err != nil {
		return nil, f.wrap(name, err)
	}
	return out, nil
}

// Int8 reads an I8 tensor.
func (f *File) Int8(name string) ([]int8, error) {
	e, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	if e.dtype != "I8" {
		return nil, f.wrap(name, fmt.Errorf("type %s, want I8", e.dtype))
	}
	out := make([]int8, 0, e.count)
	err = f.chunks(e, func(_ int, b []byte) error {
		for _, v := range b {
			out = append(out, int8(v))
		}
		return nil
	})
	if err != nil {
		return nil, f.wrap(name, err)
	}
	return out, nil
}

func (f *File) entry(name string) (entry, error) {
	i, ok := f.byName[name]
	if !ok {
		return entry{}, f.wrap(name, fmt.Errorf("no such tensor: %w", fs.ErrNotExist))
	}
	return f.entries[i], nil
}

// chunks reads an entry's bytes piece by piece; at counts elements.
func (f *File) chunks(e entry, use func(at int, b []byte) error) error {
	buf := make([]byte, min(chunk, e.end-e.begin))
	width := int64(sizes[e.dtype])
	for at := e.begin; at < e.end; at += int64(len(buf)) {
		buf = buf[:min(int64(len(buf)), e.end-at)]
		if _, err := f.r.ReadAt(buf, f.start+at); err != nil {
			return err
		}
		if err := use(int((at-e.begin)/width), buf); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) wrap(name string, err error) error { return wrap(f, name, err) }
