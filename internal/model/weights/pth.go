package weights

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
)

// torchTypes maps PyTorch's storage classes to safetensors' names.
var torchTypes = map[string]string{
	"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}

// rebuildTensor takes (storage, offset, shape, strides, ...) of torch._utils._rebuild_tensor and _rebuild_tensor_v2.
func rebuildTensor(_ *machine, args tuple) (any, error) {
	s, err := argument[*storage](args, 0)
	if err != nil {
		return nil, err
	}
	offset, err := argument[int64](args, 1)
	if err != nil {
		return nil, err
	}
	dims, err := argument[tuple](args, 2)
	if err != nil {
		return nil, err
	}
	steps, err := argument[tuple](args, 3)
	if err != nil {
		return nil, err
	}
	v := view{storage: s, offset: int(offset)}
	if v.shape, err = integers(dims); err != nil {
		return nil, err
	}
	if v.strides, err = integers(steps); err != nil {
		return nil, err
	}
	return v, nil
}

// unreadStorage is the error of a storage whose elements are of a type that is not read, such as complex or quantized numbers.
type unreadStorage struct{ class global }

func (u unreadStorage) Error() string { return fmt.Sprintf("a storage of %v", u.class) }

// storageID reads a persistent id: ("storage", class, key, device, elements, ...).
func storageID(id any) (dtype, key string, count int, err error) {
	t, ok := id.(tuple)
	if !ok {
		return "", "", 0, fmt.Errorf("a persistent id that is a %T", id)
	}
	if kind, err := argument[string](t, 0); err != nil || kind != "storage" {
		return "", "", 0, errors.New("a persistent id of something else than a storage")
	}
	class, err := argument[global](t, 1)
	if err != nil {
		return "", "", 0, err
	}
	dtype, known := torchTypes[class.name]
	if !known || class.module != "torch" {
		return "", "", 0, unreadStorage{class}
	}
	if key, err = argument[string](t, 2); err != nil {
		return "", "", 0, err
	}
	n, err := argument[int64](t, 4)
	if err == nil && (n < 0 || n > 1<<40) {
		err = fmt.Errorf("a storage of %d elements", n)
	}
	return dtype, key, int(n), err
}

const (
	// maxPickle bounds the part of a .pth that describes its tensors, in bytes.
	maxPickle = 64 << 20
	// maxDirectory bounds the list of a zip archive's files: a hundred bytes for each of maxTensors.
	maxDirectory = 16 << 20
)

// listing is the file of an archive while its list is read.
type listing struct {
	io.ReaderAt
	left int64
}

func (l *listing) ReadAt(b []byte, at int64) (int, error) {
	if l.left -= int64(len(b)); l.left < 0 {
		return 0, fmt.Errorf("the list of its files takes more than %d bytes", maxDirectory)
	}
	return l.ReaderAt.ReadAt(b, at)
}

// readZip reads what torch.save has written since 1.6: a zip archive with data.pkl and a file per storage.
func readZip(r io.ReaderAt, size int64) (any, error) {
	l := &listing{r, maxDirectory}
	z, err := zip.NewReader(l, size)
	l.left = math.MaxInt64
	if err != nil {
		return nil, fmt.Errorf("the zip archive is damaged: %w", err)
	}
	files := map[string]*zip.File{}
	root := ""
	for _, f := range z.File {
		files[f.Name] = f
		if path.Base(f.Name) == "data.pkl" {
			root = path.Dir(f.Name)
		}
	}
	index, ok := files[path.Join(root, "data.pkl")]
	if !ok {
		return nil, errors.New("a zip archive without data.pkl: not a file of torch.save")
	}
	if _, script := files[path.Join(root, "constants.pkl")]; script {
		return nil, errors.New("a TorchScript program: save its state_dict() with torch.save")
	}
	if order, ok := files[path.Join(root, "byteorder")]; ok {
		if b, err := stored(r, size, order, 16); err != nil || strings.TrimSpace(string(b)) != "little" {
			return nil, fmt.Errorf("byte order %q: only little-endian files are read (%v)", b, err)
		}
	}
	begin, err := place(size, index)
	if err != nil {
		return nil, err
	}
	if index.UncompressedSize64 > maxPickle {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", index.Name, index.UncompressedSize64, maxPickle)
	}
	seen := map[string]*storage{}
	v, _, err := unpickle(r, begin, begin+int64(index.UncompressedSize64), func(id any) (any, error) {
		dtype, key, count, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if s, ok := seen[key]; ok {
			if s.dtype != dtype || s.count != count {
				return nil, fmt.Errorf("storage %s is described twice", key)
			}
			return s, nil
		}
		f, ok := files[path.Join(root, "data", key)]
		if !ok {
			return nil, fmt.Errorf("storage %s is not in the archive", key)
		}
		at, err := place(size, f)
		if err != nil {
			return nil, err
		}
		if int64(count)*int64(sizes[dtype]) > int64(f.UncompressedSize64) {
			return nil, fmt.Errorf("storage %s has %d bytes for %d elements of %s", key, f.UncompressedSize64, count, dtype)
		}
		s := &storage{dtype: dtype, count: count, r: r, at: at}
		seen[key] = s
		return s, nil
	})
	return v, err
}

// place returns where an uncompressed file of an archive lies. torch.save compresses nothing.
func place(size int64, f *zip.File) (int64, error) {
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return 0, fmt.Errorf("%s is compressed, which torch.save does not do: unpack the archive and pack it without", f.Name)
	}
	at, err := f.DataOffset()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.Name, err)
	}
	if at < 0 || f.UncompressedSize64 > uint64(size) || at > size-int64(f.UncompressedSize64) {
		return 0, fmt.Errorf("%s lies past the end of the file: it is cut", f.Name)
	}
	return at, nil
}

// stored reads a small file of an archive.
func stored(r io.ReaderAt, size int64, f *zip.File, most uint64) ([]byte, error) {
	at, err := place(size, f)
	if err != nil {
		return nil, err
	}
	if f.UncompressedSize64 > most {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", f.Name, f.UncompressedSize64, most)
	}
	b := make([]byte, f.UncompressedSize64)
	_, err = r.ReadAt(b, at)
	return b, err
}

// legacyMagic is the first pickle of what torch.save wrote before 1.6, as a LONG.
var legacyMagic = []byte{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// readLegacy reads what torch.save wrote before 1.6: five pickles (magic number, version, system, the object, keys),
// then each storage with its number of elements before it.
func readLegacy(r io.ReaderAt, size int64) (any, error) {
	storages := map[string]*storage{}
	var values [5]any
	var place int64
	for i := range values {
		var persistent func(any) (any, error)
		if i == 3 {
			persistent = func(id any) (any, error) {
				dtype, key, count, err := storageID(id)
				if err != nil {
					return nil, err
				}
				if t := id.(tuple); len(t) > 5 && t[5] != nil {
					return nil, errors.New("a view of a storage, which torch.save wrote before 0.4: save it again with a newer version")
				}
				if s, ok := storages[key]; ok {
					return s, nil
				}
				s := &storage{dtype: dtype, count: count, r: r, at: -1}
				storages[key] = s
				return s, nil
			}
		}
		v, end, err := unpickle(r, place, min(size, place+maxPickle), persistent)
		if err != nil {
			return nil, err
		}
		values[i], place = v, end
	}
	if magic, ok := values[0].([]byte); !ok || string(magic) != string(legacyMagic) {
		return nil, errors.New("not a file of torch.save")
	}
	if version, ok := values[1].(int64); !ok || version != 1001 {
		return nil, errors.New("another version of torch.save's format than 1001, which is read")
	}
	keys, ok := values[4].(*list)
	if !ok {
		return nil, errors.New("the list of storages is missing")
	}
	for _, k := range keys.items {
		key, _ := k.(string)
		s, ok := storages[key]
		if !ok {
			return nil, fmt.Errorf("storage %q belongs to nothing", key)
		}
		var head [8]byte
		if _, err := r.ReadAt(head[:], place); err != nil {
			return nil, fmt.Errorf("storage %q: the file is cut", key)
		}
		if n := binary.LittleEndian.Uint64(head[:]); n != uint64(s.count) {
			return nil, fmt.Errorf("storage %q has %d elements here and %d there", key, n, s.count)
		}
		s.at = place + 8
		place = s.at + int64(s.count)*int64(sizes[s.dtype])
		if place > size {
			return nil, fmt.Errorf("storage %q ends past the file's end: it is cut", key)
		}
	}
	for key, s := range storages {
		if s.at < 0 {
			return nil, fmt.Errorf("storage %q is not in the file", key)
		}
	}
	return values[3], nil
}
