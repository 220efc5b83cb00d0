package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"

	"retinago/internal/file"
)

// chunk is the number of bytes that are converted at a time.
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
	summed  bool // the entries have sums
	notes   []string
}

// Open reads and validates the header.
func Open(path string) (*File, error) {
	r, info, err := file.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	f, err := read(path, r, info.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("weights: %s: %w", path, err), r.Close())
	}
	f.close = r.Close
	f.tell()
	return f, nil
}

// OpenFrom is Open for the size bytes of r, which stays open after Close; name stands for the file in errors.
func OpenFrom(name string, r io.ReaderAt, size int64) (*File, error) {
	f, err := read(name, r, size)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", name, err)
	}
	f.close = func() error { return nil }
	f.tell()
	return f, nil
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
		return nil, fmt.Errorf("this is not a safetensors file; `retinago weights import %s -out NAME.safetensors` makes one of a .pth, .pt or .pkl of another project", path)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("a header of %d bytes in a file of %d: it is cut off", n, size)
	}
	header := make([]byte, 8+n)
	if _, err := r.ReadAt(header, 0); err != nil {
		return nil, err
	}
	sealed, err := checkSeal(header)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, r: r, start: int64(len(header)), byName: map[string]int{}}
	if f.entries, f.Metadata, err = parseHeader(header[8:], size-f.start); err != nil {
		return nil, err
	}
	if err := f.takeSums(sealed); err != nil {
		return nil, err
	}
	for i, e := range f.entries {
		f.byName[e.name] = i
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

// Path returns the path with which the file was opened.
func (f *File) Path() string { return f.path }

// Names returns the names of the tensors in the order of the file.
func (f *File) Names() []string {
	out := make([]string, len(f.entries))
	for i, e := range f.entries {
		out[i] = e.name
	}
	return out
}

// Has reports whether there is a tensor of that name.
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

// Tensor reads a tensor and converts it to float32. Integers beyond 2^24 are rounded; see Ints. For a name that the file lacks the
// error is an fs.ErrNotExist.
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
	if e.dtype == "F32" && littleEndian {
		err = f.chunks(e, bytesOf(t.Data), func(int, []byte) error { return nil })
	} else {
		err = f.chunks(e, nil, func(at int, b []byte) error {
			return floats(t.Data[at:at+len(b)/sizes[e.dtype]], b, e.dtype)
		})
	}
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
	err = f.chunks(e, nil, func(at int, b []byte) error {
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
	err = f.chunks(e, nil, func(_ int, b []byte) error {
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

// chunks reads the bytes of an entry piece by piece, into dst or, if that is nil, into a buffer of its own; at counts elements.
// If the file has checksums and the bytes do not match, chunks returns an error after use has processed the last piece.
func (f *File) chunks(e entry, dst []byte, use func(at int, b []byte) error) error {
	size := e.end - e.begin
	var own []byte
	if dst == nil {
		own = make([]byte, min(chunk, size))
	}
	width := int64(sizes[e.dtype])
	sum := uint32(0)
	for at := int64(0); at < size; at += chunk {
		n := min(chunk, size-at)
		b := own
		if dst != nil {
			b = dst[at:]
		}
		b = b[:n]
		if _, err := f.r.ReadAt(b, f.start+e.begin+at); err != nil {
			return err
		}
		if f.summed {
			sum = crc32.Update(sum, castagnoli, b)
		}
		if err := use(int(at/width), b); err != nil {
			return err
		}
	}
	if f.summed && sum != e.sum {
		return fmt.Errorf("its bytes have the checksum %s, not the %s that they were written with: %w", digits(sum), digits(e.sum), errDamaged)
	}
	return nil
}

func (f *File) wrap(name string, err error) error { return wrap(f, name, err) }
