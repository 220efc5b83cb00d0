package weights

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// storage is a flat array of a checkpoint: held in memory, or at a place of the file.
type storage struct {
	dtype string // as in safetensors
	count int    // elements
	held  []byte
	r     io.ReaderAt
	at    int64 // in r, in bytes
	text  int64 // bytes at that place, where they are a text of latin-1 in UTF-8; 0 where they are the elements
}

// view is a tensor over a storage, as PyTorch has it: element (i, j, ...) is storage[offset + i*strides[0] + ...].
type view struct {
	storage *storage
	offset  int
	shape   []int
	strides []int
}

// check reports whether every element lies in the storage.
func (v view) check() error {
	if len(v.shape) != len(v.strides) {
		return fmt.Errorf("shape %v with strides %v", v.shape, v.strides)
	}
	n, err := elements(v.shape)
	if err != nil {
		return err
	}
	// A tensor with more elements than its storage repeats some: a few bytes would ask for terabytes.
	if n > v.storage.count {
		return fmt.Errorf("shape %v over a storage of %d elements", v.shape, v.storage.count)
	}
	if n == 0 {
		return nil
	}
	last := v.offset
	for i, d := range v.shape {
		if v.strides[i] < 0 || d > 1 && v.strides[i] > math.MaxInt/(d-1)-1 {
			return fmt.Errorf("stride %d", v.strides[i])
		}
		if last += (d - 1) * v.strides[i]; last < 0 || last >= v.storage.count {
			return fmt.Errorf("shape %v, strides %v and offset %d reach past a storage of %d elements", v.shape, v.strides, v.offset, v.storage.count)
		}
	}
	if v.offset < 0 || last >= v.storage.count {
		return fmt.Errorf("offset %d in a storage of %d elements", v.offset, v.storage.count)
	}
	return nil
}

// read returns the elements in order, as float32.
func (v view) read() ([]float32, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if err := floats(nil, nil, v.storage.dtype); err != nil {
		return nil, err
	}
	n, err := elements(v.shape)
	if err != nil || n == 0 {
		return nil, err
	}
	first, last := v.offset, v.offset
	for i, d := range v.shape {
		last += (d - 1) * v.strides[i]
	}
	raw := make([]float32, last-first+1)
	if err := v.storage.read(raw, first); err != nil {
		return nil, err
	}
	if len(raw) == n && slices.Equal(v.strides, dense(v.shape)) {
		return raw, nil
	}
	out := make([]float32, n)
	index := make([]int, len(v.shape))
	at := 0
	for i := range out {
		out[i] = raw[at]
		for k := len(index) - 1; k >= 0; k-- {
			index[k]++
			at += v.strides[k]
			if index[k] < v.shape[k] {
				break
			}
			at -= index[k] * v.strides[k]
			index[k] = 0
		}
	}
	return out, nil
}

// dense are the strides of a tensor without gaps.
func dense(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

// read converts elements from first on.
func (s *storage) read(dst []float32, first int) error {
	size := sizes[s.dtype]
	if size == 0 {
		return fmt.Errorf("type %s is not known", s.dtype)
	}
	held := s.held
	if s.text > 0 {
		held = make([]byte, s.text)
		if _, err := s.r.ReadAt(held, s.at); err != nil {
			return err
		}
		n, err := latin1(held, held)
		if err != nil {
			return err
		}
		held = held[:n]
	}
	if held != nil {
		if (first+len(dst))*size > len(held) {
			return errors.New("the data are cut")
		}
		return floats(dst, held[first*size:], s.dtype)
	}
	buf := make([]byte, min(chunk, len(dst)*size))
	for len(dst) > 0 {
		n := min(len(buf)/size, len(dst))
		if _, err := s.r.ReadAt(buf[:n*size], s.at+int64(first)*int64(size)); err != nil {
			return err
		}
		if err := floats(dst[:n], buf, s.dtype); err != nil {
			return err
		}
		dst, first = dst[n:], first+n
	}
	return nil
}
