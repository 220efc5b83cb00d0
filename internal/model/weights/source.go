package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"retinago/internal/file"
)

// Source is a file of named tensors in any of the formats that are read. Close it after use.
type Source interface {
	Path() string
	// Format is "safetensors", "PyTorch", "PyTorch, legacy" or "pickle".
	Format() string
	Names() []string
	Has(name string) bool
	// Info returns the stored type ("F32", "F16", ...) and the shape of a tensor, without reading it.
	Info(name string) (dtype string, shape []int, ok bool)
	// Tensor reads a tensor as float32. The error of a name that is not there is an fs.ErrNotExist.
	Tensor(name string) (Tensor, error)
	// Notes are sentences on what was unwrapped and left out to get to the tensors.
	Notes() []string
	// Classes are the names of a detector's classes that the file has beside its tensors, in their order, and the ids of their
	// categories, or nil; empty where there are none.
	Classes() (names []string, ids []int64)
	Close() error
}

var (
	_ Source = (*File)(nil)
	_ Source = (*Checkpoint)(nil)
)

// Format is "safetensors".
func (f *File) Format() string { return "safetensors" }

// OpenAny opens a file by its content: safetensors, PyTorch's .pth in both forms, or a pickle of NumPy arrays as
// detectron2's .pkl is. Nothing in a file is ever run. Prefixes that programs put before all names (module., _orig_mod., ...) are
// taken off.
func OpenAny(path string) (Source, error) { return OpenKey(path, "") }

// OpenKey opens a file as OpenAny does, and takes the tensors that stand under a key of its outer dictionary, such as model_ema.
func OpenKey(path, key string) (Source, error) {
	f, info, err := file.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	var head [16]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		f.Close()
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	// A safetensors header of 128 bytes begins as a pickle does, but no instruction is a brace.
	named := n > 8 && head[8] == '{' && [4]byte(head[4:8]) == [4]byte{}
	zipped, pickled := bytes.HasPrefix(head[:n], []byte("PK\x03\x04")), n > 2 && head[0] == 0x80 && head[1] <= 5 && !named
	if !zipped && !pickled {
		f.Close()
		if key != "" {
			return nil, fmt.Errorf("weights: %s: only files of PyTorch have keys to choose from, such as %q", path, key)
		}
		s, err := Open(path)
		if err == nil {
			s.strip()
		}
		return s, err
	}
	c, err := readCheckpoint(f, info.Size(), zipped, key)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	c.path, c.close = path, f.Close
	return c, nil
}

// Checkpoint is an open file of PyTorch or of pickled arrays.
type Checkpoint struct {
	notes  []string
	named  classes
	key    string // of the tensors that were asked for
	path   string
	format string
	close  func() error
	names  []string
	views  map[string]view

	unread  string // the first value that was left out
	visited int    // entries seen while collecting
	left    int64  // elements that further tensors may have
	letters int64  // bytes that further names may have
}

// Tensors may share memory, as tied weights do, but a small file must not ask for terabytes: all tensors together have at most
// maxRepeat elements for each byte of the file, and minElements.
const (
	maxRepeat   = 16
	minElements = 1 << 16
)

// readCheckpoint reads what a file says of its tensors, not yet their data, but for a pickle, which holds them.
func readCheckpoint(r io.ReaderAt, size int64, zipped bool, key string) (*Checkpoint, error) {
	c := &Checkpoint{views: map[string]view{}, format: "PyTorch", key: key}
	var value any
	var err error
	switch {
	case zipped:
		value, err = readZip(r, size)
	case legacy(r, size):
		c.format = "PyTorch, legacy"
		value, err = readLegacy(r, size)
	default:
		c.format = "pickle"
		value, _, err = unpickle(r, 0, size, nil)
	}
	if err != nil {
		return nil, err
	}
	c.left, c.letters = minElements+maxRepeat*size, minMade+maxFactor*size
	return c, c.take(value)
}

// legacy reports whether the first pickle is torch.save's magic number.
func legacy(r io.ReaderAt, size int64) bool {
	b := make([]byte, min(size, 32))
	if _, err := r.ReadAt(b, 0); err != nil {
		return false
	}
	return bytes.Contains(b, legacyMagic)
}

// count is the number of tensors that stand in the dictionary itself. It looks at them once: one dictionary may have many places.
func (d *dict) count() int {
	if d.counted {
		return d.tensors
	}
	d.counted = true
	for _, it := range d.items {
		switch it.value.(type) {
		case view, *ndarray:
			d.tensors++
		}
	}
	return d.tensors
}

const (
	maxDepth = 8       // of dictionaries in dictionaries
	maxName  = 1 << 10 // bytes of a tensor's name
)

// collect adds the tensors of a dictionary, with those of inner ones under "outer.inner" names.
func (c *Checkpoint) collect(prefix string, d *dict, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("dictionaries more than %d deep", maxDepth)
	}
	for _, it := range d.items {
		// A dictionary may stand in many places: what is visited is bounded, not what is stored.
		if c.visited++; c.visited > maxValues {
			return fmt.Errorf("more than %d entries", maxValues)
		}
		name, ok := it.key.(string)
		if !ok {
			continue
		}
		if len(prefix)+len(name) > maxName {
			return fmt.Errorf("a name of %d bytes, more than %d", len(prefix)+len(name), maxName)
		}
		if c.letters -= int64(len(prefix) + len(name)); c.letters < 0 {
			return errors.New("dictionaries that stand in each other too often")
		}
		name = prefix + name
		switch v := it.value.(type) {
		case view:
			if err := c.add(name, v); err != nil {
				return err
			}
		case *ndarray:
			if v.fault != nil {
				return fmt.Errorf("%q: %w", name, v.fault)
			}
			if err := c.add(name, v.view); err != nil {
				return err
			}
		case opaque:
			if err := c.leave(name, v, d.count() > 0); err != nil {
				return err
			}
		case *dict:
			if err := c.collect(name+".", v, depth+1); err != nil {
				return err
			}
		}
		if len(c.names) > maxTensors {
			return fmt.Errorf("more than %d tensors", maxTensors)
		}
	}
	return nil
}

// harmless are the modules whose objects may stand beside tensors: settings and the like.
var harmless = []string{"argparse", "collections", "copy_reg", "copyreg", "datetime", "decimal", "numpy", "pathlib", "torch", "uuid"}

// leave leaves out a value that is not read. It is refused where it is a tensor, or where a function outside of the harmless modules would
// make it among tensors.
func (c *Checkpoint) leave(name string, v opaque, among bool) error {
	module, _, _ := strings.Cut(v.class.module, ".")
	if v.tensor || among && v.called && !slices.Contains(harmless, module) {
		return fmt.Errorf("%q is made with %v, which is not read; nothing in a file is run", name, v.class)
	}
	if c.unread == "" {
		c.unread = fmt.Sprintf("%q, made with %v", name, v.class)
	}
	return nil
}

// maxTensors bounds what a file may hold.
const maxTensors = 1 << 17

func (c *Checkpoint) add(name string, v view) error {
	if _, twice := c.views[name]; twice {
		return fmt.Errorf("two tensors are called %q", name)
	}
	if v.storage == nil {
		return fmt.Errorf("%q has no data", name)
	}
	if err := v.check(); err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	n, err := elements(v.shape)
	if err != nil {
		return err
	}
	if c.left -= int64(n); c.left < 0 {
		return fmt.Errorf("the tensors up to %q have more elements together than fit into the file: they are the same memory too often", name)
	}
	c.names = append(c.names, name)
	c.views[name] = v
	return nil
}

// strip takes the wrappers' prefixes off the names.
func (c *Checkpoint) strip() {
	w := unwrap(c.names, func(name string) []int { return c.views[name].shape })
	if w.prefix == "" {
		return
	}
	views := map[string]view{}
	for i, n := range w.names {
		c.names[i] = strings.TrimPrefix(n, w.prefix)
		views[c.names[i]] = c.views[n]
	}
	c.names, c.views = c.names[:len(w.names)], views
	c.notes = append(c.notes, w.notes()...)
}

// Notes are sentences on what was unwrapped and left out.
func (c *Checkpoint) Notes() []string { return c.notes }

// Classes are the names and ids that the file has beside its tensors.
func (c *Checkpoint) Classes() (names []string, ids []int64) { return c.named.names, c.named.ids }

// Path is where the file was opened.
func (c *Checkpoint) Path() string { return c.path }

// Format is how the file was written.
func (c *Checkpoint) Format() string { return c.format }

// Names are the tensors in the order of the file.
func (c *Checkpoint) Names() []string { return append([]string(nil), c.names...) }

// Has reports whether there is a tensor of that name.
func (c *Checkpoint) Has(name string) bool {
	_, ok := c.views[name]
	return ok
}

// Info returns the stored type and the shape of a tensor.
func (c *Checkpoint) Info(name string) (dtype string, shape []int, ok bool) {
	v, ok := c.views[name]
	if !ok {
		return "", nil, false
	}
	return v.storage.dtype, append([]int{}, v.shape...), true
}

// Tensor reads a tensor as float32.
func (c *Checkpoint) Tensor(name string) (Tensor, error) {
	v, ok := c.views[name]
	if !ok {
		return Tensor{}, fmt.Errorf("weights: %s: %q: no such tensor: %w", c.path, name, fs.ErrNotExist)
	}
	data, err := v.read()
	if err != nil {
		return Tensor{}, fmt.Errorf("weights: %s: %q: %w", c.path, name, err)
	}
	return Tensor{Name: name, Shape: append([]int{}, v.shape...), Data: data}, nil
}

// Close closes the file.
func (c *Checkpoint) Close() error { return c.close() }
