package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// expected is what testdata/make.py stored.
var expected = map[string]struct {
	dtype string
	shape []int
	data  []float32
}{
	"a.weight":     {"F32", []int{2, 3, 4}, upTo(24)},
	"b.half":       {"F16", []int{3}, []float32{1.5, -2.25, 65504}},
	"c.bfloat16":   {"BF16", []int{2}, []float32{1.5, -3}},
	"d.double":     {"F64", []int{1, 1}, []float32{.1}},
	"e.long":       {"I64", []int{}, []float32{7}},
	"f.transposed": {"F32", []int{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
	"g.slice":      {"F32", []int{2, 2}, []float32{16, 18, 20, 22}},
	"h.expanded":   {"F32", []int{2}, []float32{1, 2}},
	"i.empty":      {"F32", []int{0, 3}, nil},
}

func upTo(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i)
	}
	return v
}

func openAny(t *testing.T, path string) Source {
	t.Helper()
	s, err := OpenAny(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPyTorch(t *testing.T) {
	for file, format := range map[string]string{"zip.pth": "PyTorch", "legacy.pth": "PyTorch, legacy", "nested.pth": "PyTorch"} {
		s := openAny(t, filepath.Join("testdata", file))
		if s.Format() != format || len(s.Names()) != len(expected) {
			t.Errorf("%s: %s with %v", file, s.Format(), s.Names())
		}
		if !slices.IsSorted(s.Names()) {
			t.Errorf("%s: the names are not in the file's order: %v", file, s.Names())
		}
		for name, want := range expected {
			dtype, shape, ok := s.Info(name)
			if !ok || dtype != want.dtype || !slices.Equal(shape, want.shape) {
				t.Errorf("%s: %s is %s %v (%v), want %s %v", file, name, dtype, shape, ok, want.dtype, want.shape)
			}
			got, err := s.Tensor(name)
			if err != nil || !slices.Equal(got.Data, want.data) {
				t.Errorf("%s: %s is %v (%v), want %v", file, name, got.Data, err, want.data)
			}
		}
		if _, err := s.Tensor("z"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: a tensor that is not there: %v", file, err)
		}
	}
	if c := openAny(t, "testdata/nested.pth").(*Checkpoint); len(c.Notes()) != 2 {
		t.Errorf("notes %q, want what was unwrapped and stripped", c.Notes())
	}
}

// Python 2's protocol, as detectron2's model zoo has it, and a newer one.
func TestNumPy(t *testing.T) {
	for _, file := range []string{"numpy2.pkl", "numpy4.pkl"} {
		s := openAny(t, filepath.Join("testdata", file))
		if want := []string{"conv.weight", "conv.bias", "fortran"}; !slices.Equal(s.Names(), want) {
			t.Fatalf("%s: %v, want %v", file, s.Names(), want)
		}
		for name, want := range map[string][]float32{"conv.weight": upTo(6), "conv.bias": {.5}, "fortran": upTo(6)} {
			if got, err := s.Tensor(name); err != nil || !slices.Equal(got.Data, want) {
				t.Errorf("%s: %s is %v (%v), want %v", file, name, got.Data, err, want)
			}
		}
	}
}

// Real files, with their parameters (running statistics and counters included) and sums as torch.load sees them.
func TestRealCheckpoints(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "weights")
	for file, want := range map[string]struct {
		format string
		n      int
		sum    float64
	}{
		"mobilenet_v1_x0.25_imagenet.legacy.pth": {"PyTorch, legacy", 475_571, 2434182.8799821176},
		"retinaface_mobilenet0.25.pth":           {"PyTorch", 433_343, 7480142.057929561},
	} {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("the real checkpoints of %s are not here", dir)
		}
		s := openAny(t, path)
		n, sum := 0, 0.
		for _, name := range s.Names() {
			v, err := s.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range v.Data {
				if x-x != 0 {
					t.Fatalf("%s: %s has %g", file, name, x)
				}
			}
			n += len(v.Data)
			sum += sumOf(v.Data)
		}
		if s.Format() != want.format || n != want.n || math.Abs(sum-want.sum) > 1e-6*want.sum {
			t.Errorf("%s: %s with %d parameters and the sum %g, want %s with %d and %g", file, s.Format(), n, sum, want.format, want.n, want.sum)
		}
	}
}

func sumOf(v []float32) (s float64) {
	for _, x := range v {
		s += float64(x)
	}
	return s
}

// What wants to be run is refused by name, and is not run.
func TestEvil(t *testing.T) {
	for _, file := range []string{"evil.pkl", "evil.pth"} {
		_, err := OpenAny(filepath.Join("testdata", file))
		if err == nil || !strings.Contains(err.Error(), "posix.system") || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := os.Stat("/tmp/evil"); err == nil {
		t.Error("the code of a file was run")
	}
}

// Every beginning of a file is an error, or holds what the whole holds.
func TestCut(t *testing.T) {
	files, err := filepath.Glob("testdata/*.p*")
	if err != nil || len(files) < 7 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		zipped := bytes.HasPrefix(b, []byte("PK"))
		for n := range len(b) {
			c, err := readCheckpoint(bytes.NewReader(b[:n]), int64(n), zipped, "")
			if err == nil {
				readAll(t, c)
			}
		}
	}
}

// readAll reads what can be read; shapes and data must fit.
func readAll(t *testing.T, c *Checkpoint) {
	t.Helper()
	for _, name := range c.names {
		v, err := c.Tensor(name)
		if err != nil {
			continue
		}
		if n, err := elements(v.Shape); err != nil || n != len(v.Data) {
			t.Errorf("%s: %d elements for shape %v", name, len(v.Data), v.Shape)
		}
	}
}

func TestHostile(t *testing.T) {
	archive := func(method uint16, name string, content []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	many := "\x80\x02" + strings.Repeat("N", maxValues+1) + "."
	for name, k := range map[string]struct {
		b    []byte
		want string
	}{
		"bomb":       {archive(zip.Deflate, "x/data.pkl", make([]byte, 1<<24)), "compressed"},
		"no index":   {archive(zip.Store, "x/readme", nil), "data.pkl"},
		"script":     {archive(zip.Store, "constants.pkl", nil), "data.pkl"},
		"length":     {[]byte("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\x7f."), "cut"},
		"values":     {[]byte(many), "values"},
		"no stack":   {[]byte("\x80\x02."), "empty"},
		"mark":       {[]byte("\x80\x02t."), "mark"},
		"memo":       {[]byte("\x80\x02h\x05."), "stored"},
		"opcode":     {[]byte("\x80\x02\xff."), "not known"},
		"odd":        {[]byte("\x80\x02}(K\x01u."), "without a value"},
		"itself":     {[]byte("\x80\x02]q\x00h\x00a)R."), "called"},
		"itself too": {[]byte("\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), "deep"},
		"no tensors": {[]byte("\x80\x02}."), "no tensors"},
		"number":     {[]byte("\x80\x02K\x05."), "dictionary"},
		"module":     {[]byte("\x80\x02ctorch.nn\nModule\n)\x81."), "state_dict"},
	} {
		zipped := bytes.HasPrefix(k.b, []byte("PK"))
		if _, err := readCheckpoint(bytes.NewReader(k.b), int64(len(k.b)), zipped, ""); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v; want %q", name, err, k.want)
		}
	}
}

// Views that reach out of their storage, repeat it or overflow.
func TestViewCheck(t *testing.T) {
	s := &storage{dtype: "F32", count: 10, held: make([]byte, 40)}
	for _, k := range []struct {
		v  view
		ok bool
	}{
		{view{s, 0, []int{10}, []int{1}}, true},
		{view{s, 1, []int{10}, []int{1}}, false},
		{view{s, 0, []int{2, 5}, []int{5, 1}}, true},
		{view{s, 0, []int{5, 2}, []int{1, 5}}, true},
		{view{s, 0, []int{5}, []int{3}}, false},
		{view{s, 0, []int{1 << 20}, []int{0}}, false},
		{view{s, -1, []int{2}, []int{1}}, false},
		{view{s, 10, []int{}, []int{}}, false},
		{view{s, 9, []int{}, []int{}}, true},
		{view{s, 0, []int{3}, []int{math.MaxInt}}, false},
		{view{s, 0, []int{2, 2}, []int{1}}, false},
		{view{s, 99, []int{0}, []int{1}}, true},
	} {
		if err := k.v.check(); (err == nil) != k.ok {
			t.Errorf("%+v: %v", k.v, err)
		}
	}
}

func FuzzCheckpoint(f *testing.F) {
	files, err := filepath.Glob("testdata/*.p*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, zipped := range []bool{false, true} {
			if c, err := readCheckpoint(bytes.NewReader(b), int64(len(b)), zipped, ""); err == nil {
				readAll(t, c)
			}
		}
	})
}
