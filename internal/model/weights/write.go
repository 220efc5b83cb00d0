package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"retinago/internal/file"
)

// Write stores tensors as F32 in the order given, and metadata sorted by key, with checksums of all: equal input makes equal
// bytes. The file is written under a temporary name in the same folder, synced and renamed, so that path holds the old file or
// the new one and never a part; on an error, such as a full disk, the temporary file is removed.
func Write(path string, metadata map[string]string, tensors []Tensor) error {
	specs := make([]Spec, len(tensors))
	for i, t := range tensors {
		specs[i] = Spec{Name: t.Name, Shape: t.Shape}
		if n, err := elements(t.Shape); err == nil && n != len(t.Data) {
			return fmt.Errorf("weights: writing %s: %q has %d elements for shape %v", path, t.Name, len(t.Data), t.Shape)
		}
	}
	return WriteFrom(path, metadata, specs, func(i int, dst []float32) error {
		copy(dst, tensors[i].Data)
		return nil
	})
}

// WriteFrom is Write for tensors that live elsewhere: read copies tensor i to dst, one after the other. It needs memory
// for the largest only. Those of a Spec with Int8 must be whole numbers that fit.
func WriteFrom(path string, metadata map[string]string, tensors []Spec, read func(i int, dst []float32) error) error {
	sums := make([]uint32, len(tensors))
	header, largest, err := makeHeader(metadata, tensors, sums)
	if err != nil {
		return fmt.Errorf("weights: writing %s: %w", path, err)
	}
	err = file.WriteAt(path, func(f *file.File) error {
		if err := encode(f, header, tensors, make([]float32, largest), read, sums); err != nil {
			return err
		}
		// The header stands before what its sums are of.
		if header, _, err = makeHeader(metadata, tensors, sums); err != nil {
			return err
		}
		_, err := f.WriteAt(header, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// makeHeader returns length and JSON, filled up with spaces so that the data start at a multiple of 8, and the elements
// of the largest tensor. Its length is the same for all sums.
func makeHeader(metadata map[string]string, tensors []Spec, sums []uint32) (header []byte, largest int, err error) {
	all := map[string]string{}
	maps.Copy(all, metadata)
	if all[sumsKey], err = sumsText(tensors, sums); err != nil {
		return nil, 0, err
	}
	all[headerKey] = noDigits
	var b bytes.Buffer
	b.WriteString(`{"` + metadataKey + `":{`)
	for i, k := range slices.Sorted(maps.Keys(all)) {
		if !utf8.ValidString(k) || !utf8.ValidString(all[k]) {
			return nil, 0, fmt.Errorf("metadata %q is not UTF-8", k)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(k))
		b.WriteByte(':')
		b.Write(quote(all[k]))
	}
	b.WriteByte('}')
	seen := map[string]bool{metadataKey: true}
	at := 0
	for _, t := range tensors {
		n, err := elements(t.Shape)
		switch {
		case err != nil:
			return nil, 0, fmt.Errorf("%q: %w", t.Name, err)
		case seen[t.Name]:
			return nil, 0, fmt.Errorf("the name %q is taken", t.Name)
		case !utf8.ValidString(t.Name):
			return nil, 0, fmt.Errorf("the name %q is not UTF-8", t.Name)
		}
		seen[t.Name] = true
		b.WriteByte(',')
		shape, err := json.Marshal(append([]int{}, t.Shape...)) // a scalar is [], not null
		if err != nil {
			return nil, 0, err
		}
		dtype, end := "F32", at+4*n
		if t.Int8 {
			dtype, end = "I8", at+n
		}
		fmt.Fprintf(&b, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, quote(t.Name), dtype, shape, at, end)
		at, largest = end, max(largest, n)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, 0, fmt.Errorf("names and metadata take %d bytes, more than a reader accepts (%d)", b.Len(), maxHeader)
	}
	header = append(binary.LittleEndian.AppendUint64(nil, uint64(b.Len())), b.Bytes()...)
	seal(header)
	return header, largest, nil
}

// quote is s as JSON, with <, > and & as they are.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("weights: " + err.Error()) // strings always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// encode writes the file and computes the tensors' sums; host has room for the largest tensor.
func encode(w io.Writer, header []byte, tensors []Spec, host []float32, read func(i int, dst []float32) error, sums []uint32) error {
	b := bufio.NewWriterSize(w, chunk)
	b.Write(header) // a bufio.Writer's error sticks until Flush
	var buf [4096]byte
	for k, t := range tensors {
		n, err := elements(t.Shape)
		if err != nil {
			return err
		}
		if err := read(k, host[:n]); err != nil {
			return fmt.Errorf("reading %q: %w", t.Name, err)
		}
		for part := range slices.Chunk(host[:n], len(buf)/4) {
			size := 4 * len(part)
			if t.Int8 {
				size = len(part)
			}
			for i, v := range part {
				if !t.Int8 {
					binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
				} else if buf[i] = byte(int8(v)); float32(int8(v)) != v {
					return fmt.Errorf("%q has %g, which is no 8-bit integer", t.Name, v)
				}
			}
			if _, err := b.Write(buf[:size]); err != nil {
				return err
			}
			sums[k] = crc32.Update(sums[k], castagnoli, buf[:size])
		}
	}
	return b.Flush()
}
