package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// raw is a file of the given header and data.
func raw(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func put(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	big := make([]float32, chunk/4+1001) // more than one piece
	for i := range big {
		big[i] = float32(i)
	}
	want := []Tensor{
		{"b <&> ключ", []int{2, 3}, []float32{1, -2, float32(math.Inf(1)), 1e-45, math.MaxFloat32, 0}},
		{"a", []int{}, []float32{7}},
		{"empty", []int{3, 0}, []float32{}},
		{"big", []int{len(big)}, big},
	}
	meta := map[string]string{"z": "1\n\"2\"", "a": "<b>", "": ""}
	if err := Write(path, meta, want); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.start%8 != 0 {
		t.Errorf("data start at %d", f.start)
	}
	if len(f.Metadata) != 3 || f.Metadata["z"] != meta["z"] || f.Metadata["a"] != "<b>" {
		t.Errorf("metadata %q", f.Metadata)
	}
	for _, w := range want {
		got, err := f.Tensor(w.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Shape, w.Shape) || !slices.Equal(got.Data, w.Data) {
			t.Errorf("%s: %v, want %v", w.Name, got.Shape, w.Shape)
		}
	}
	if _, err := f.Tensor("none"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("unknown name: %v", err)
	}
	first, _ := os.ReadFile(path)
	if err := Write(path, meta, want); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); !bytes.Equal(first, again) {
		t.Error("the same input made other bytes")
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("left %v behind", files)
	}
}

// The bytes of a small file, spelled out from the format's description.
func TestWriteFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := Write(path, map[string]string{"k": "v"}, []Tensor{{"x", []int{1, 2}, []float32{1, -2}}}); err != nil {
		t.Fatal(err)
	}
	// The sums are those of a plain CRC-32C, bit by bit, whose sum of "123456789" is e3069283.
	header := `{"__metadata__":{"k":"v","retinago.header":"525d190c","retinago.sums":"{\"x\":\"aa36f2c9\"}"},` +
		`"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}`
	header += strings.Repeat(" ", -len(header)&7)
	want := raw(header, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0})
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	for name, ts := range map[string][]Tensor{
		"shape":    {{"x", []int{3}, []float32{1}}},
		"negative": {{"x", []int{-1, -1}, []float32{1}}},
		"twice":    {{"x", nil, []float32{1}}, {"x", nil, []float32{1}}},
		"reserved": {{"__metadata__", nil, []float32{1}}},
		"not text": {{"\xff", nil, []float32{1}}},
	} {
		if err := Write(path, nil, ts); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(path, map[string]string{"k": "\xff"}, nil); err == nil {
		t.Error("metadata that is not text was written")
	}
	if err := Write(filepath.Join(dir, "no", "w"), nil, nil); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left %v behind", files)
	}
}

func TestTypes(t *testing.T) {
	var data []byte
	le := binary.LittleEndian
	// binary16 values from IEEE 754: 1, -2, largest subnormal, smallest subnormal, largest, infinity, -0
	for _, h := range []uint16{0x3c00, 0xc000, 0x03ff, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x7e00} {
		data = le.AppendUint16(data, h)
	}
	for _, h := range []uint16{0x3f80, 0xc049} {
		data = le.AppendUint16(data, h)
	}
	data = le.AppendUint64(data, math.Float64bits(.1))
	data = le.AppendUint32(data, uint32(0xfffffff9)) // -7
	data = le.AppendUint64(data, 1<<40+1)
	data = append(data, 1)
	header := `{"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},` +
		`"d":{"dtype":"F64","shape":[],"data_offsets":[20,28]},"i":{"dtype":"I32","shape":[1],"data_offsets":[28,32]},` +
		`"l":{"dtype":"I64","shape":[1],"data_offsets":[32,40]},"u":{"dtype":"U8","shape":[1],"data_offsets":[40,41]}}`
	f, err := Open(put(t, raw(header, data)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string][]float32{
		"h": {1, -2, 0x3ffp-24, 0x1p-24, 65504, float32(math.Inf(1)), 0},
		"b": {1, -3.140625}, "d": {.1}, "i": {-7}, "l": {1 << 40},
	} {
		got, err := f.Tensor(name)
		if err != nil || !slices.Equal(got.Data[:len(want)], want) {
			t.Errorf("%s: %v, want %v, %v", name, got.Data, want, err)
		}
	}
	if h, _ := f.Tensor("h"); !math.Signbit(float64(h.Data[6])) || h.Data[7] == h.Data[7] {
		t.Errorf("-0 and NaN of binary16: %v", h.Data[6:])
	}
	if v, err := f.Ints("l"); err != nil || v[0] != 1<<40+1 {
		t.Errorf("I64: %v, %v", v, err)
	}
	if v, err := f.Ints("i"); err != nil || v[0] != -7 {
		t.Errorf("I32: %v, %v", v, err)
	}
	if _, err := f.Ints("h"); err == nil {
		t.Error("read F16 as integers")
	}
	if _, err := f.Tensor("u"); err == nil || !strings.Contains(err.Error(), "U8") {
		t.Errorf("U8: %v", err)
	}
	if dtype, shape, ok := f.Info("h"); dtype != "F16" || !slices.Equal(shape, []int{8}) || !ok {
		t.Errorf("info: %s %v %v", dtype, shape, ok)
	}
	if want := []string{"h", "b", "d", "i", "l", "u"}; !slices.Equal(f.Names(), want) {
		t.Errorf("names %v", f.Names())
	}
}

func TestDoubleOverflows(t *testing.T) {
	f, err := Open(put(t, raw(`{"d":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}`, binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300)))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Tensor("d"); err == nil || !strings.Contains(err.Error(), "1e+300") {
		t.Errorf("got %v", err)
	}
}

func TestHostileFiles(t *testing.T) {
	one := `{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	four := make([]byte, 4)
	huge := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                   {nil, "too few"},
		"seven bytes":             {make([]byte, 7), "too few"},
		"length without header":   {raw("", nil), "not a JSON object"},
		"header past the end":     {append(binary.LittleEndian.AppendUint64(nil, 100), '{', '}'), "cut off"},
		"header of 2^64-1":        {append(huge, '{', '}'), "not a safetensors file"},
		"header over the limit":   {binary.LittleEndian.AppendUint64(nil, maxHeader+1), "not a safetensors file"},
		"pth":                     {[]byte("PK\x03\x04 archive/data.pkl"), "not a safetensors file"},
		"list":                    {raw("[]", nil), "not a JSON object"},
		"cut JSON":                {raw(`{"x":{"dtype":"F32"`, nil), "not JSON"},
		"cut after an entry":      {raw(`{"x":`+one, four), "cut off"},
		"more JSON":               {raw(`{"x":`+one+`}{}`, four), "goes on"},
		"number for an entry":     {raw(`{"x":1}`, nil), `"x"`},
		"null for an entry":       {raw(`{"x":null}`, nil), "wants dtype"},
		"no dtype":                {raw(`{"x":{"shape":[1],"data_offsets":[0,4]}}`, four), "wants dtype"},
		"one offset":              {raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, four), "wants dtype"},
		"unknown dtype":           {raw(`{"x":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}`, four), `unknown type "F7"`},
		"negative size":           {raw(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, four), "negative size"},
		"fraction":                {raw(`{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, four), `"x"`},
		"negative offset":         {raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, four), `"x"`},
		"past the end":            {raw(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, four), "cut off?"},
		"backwards":               {raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, four), "not within"},
		"offset of 2^64-1":        {raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}`, four), "not within"},
		"shape against offsets":   {raw(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, four), "4 bytes for F32 of shape [2]"},
		"dtype against offsets":   {raw(`{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, four), "4 bytes for F16"},
		"product overflows":       {raw(`{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil), "more elements"},
		"bytes overflow":          {raw(`{"x":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}`, nil), "0 bytes for F64"},
		"twice":                   {raw(`{"x":`+one+`,"x":`+one+`}`, four), "twice"},
		"overlap":                 {raw(`{"x":`+one+`,"y":`+one+`}`, four), `"y" overlaps "x"`},
		"hole":                    {raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)), "4 bytes between"},
		"bytes at the end":        {raw(`{"x":`+one+`}`, make([]byte, 8)), "4 bytes at the end"},
		"metadata that are lists": {raw(`{"__metadata__":{"a":[1]}}`, nil), "does not map text to text"},
		"metadata null":           {raw(`{"__metadata__":null}`, nil), "does not map text to text"},
	} {
		t.Run(name, func(t *testing.T) {
			path := put(t, tt.file)
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q lacks %q or the path", err, tt.want)
			}
		})
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// A header of many bad entries must not give many lines.
func TestErrorsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(strconv.Itoa(i)) + ":1")
	}
	_, err := Open(put(t, raw("{"+b.String()+"}", nil)))
	if err == nil || strings.Count(err.Error(), "\n") != maxErrors || !strings.Contains(err.Error(), "and 80 more") {
		t.Errorf("got %v", err)
	}
}

// A file that is cut off while it is open gives an error, not zeros.
func TestCutOffWhileOpen(t *testing.T) {
	path := put(t, raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, f.start+2); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("x"); err == nil {
		t.Error("no error")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(raw(`{"__metadata__":{"a":"b"},"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, make([]byte, 4)))
	f.Add(raw(`{"x":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[0,9],"data_offsets":[8,8]}}`, make([]byte, 8)))
	f.Add(raw(`{}`, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := read("fuzz", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		total := 0
		for _, n := range file.Names() {
			_, shape, _ := file.Info(n)
			count, err := elements(shape)
			if err != nil {
				t.Fatal(err)
			}
			total += count
			if x, err := file.Tensor(n); err == nil && len(x.Data) != count {
				t.Fatalf("%d elements for shape %v", len(x.Data), shape)
			}
			file.Ints(n)
		}
		if total > len(b) {
			t.Fatalf("%d elements in %d bytes", total, len(b))
		}
	})
}
