package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// allocated is the bytes that f allocates, freed ones included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// What reading n bytes of a pickle may allocate: its instructions' budget, twice for what the count is rough about.
func allowed(n int) int64 { return 4<<20 + 2*min(maxFactor*int64(n), maxMade) }

// pick is a pickle of parts.
func pick(parts ...string) []byte { return []byte("\x80\x02" + strings.Join(parts, "") + ".") }

// text is an instruction that pushes a text.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// An array of four floats.
const fourFloats = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x04\x85cnumpy\ndtype\nX\x02\x00\x00\x00f4K\x00K\x01\x87R" +
	"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C\x10\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@tb"

// Small files that would make much, or take long.
func TestPickleBudget(t *testing.T) {
	long := strings.Repeat("a", window)
	far := strings.Repeat("a", 4<<20)
	encode := "c_codecs\nencode\n"
	var names strings.Builder // a dictionary of a thousand names for one empty dictionary, and ten levels of such
	names.WriteString("}q\x00}q\x01(")
	for i := range 1000 {
		names.WriteString(text(fmt.Sprintf("%0200d", i)) + "h\x00")
	}
	names.WriteString("uq\x01")
	var levels strings.Builder
	levels.WriteString(names.String())
	for range 6 {
		levels.WriteString("}(")
		for i := range 100 {
			levels.WriteString(text(fmt.Sprint("k", i)) + "h\x01")
		}
		levels.WriteString("uq\x01")
	}
	var gaps strings.Builder
	for i := range 1 << 20 {
		gaps.WriteString("r" + string(binary.LittleEndian.AppendUint32(nil, uint32(2*i+2))))
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"copies of a text":     {pick(text(long), "q\x00", strings.Repeat(encode+"h\x00\x85R0", 20000)), "no checkpoint"},
		"copies of a far text": {pick(text(far), "q\x00", strings.Repeat(encode+"h\x00\x85R0", 20000)), "dictionary"},
		"copies of a list":     {pick("](", strings.Repeat("K\x01K\x02\x86", 10000), "eq\x00", strings.Repeat("cbuiltins\ndict\nh\x00\x85R0", 5000)), "no checkpoint"},
		"copies of a shape":    {pick("(", strings.Repeat("K\x01", 10000), "tq\x00", "cnumpy\ndtype\n", "h\x00\x85R"), "argument 0"},
		"nested tuples":        {pick(")", strings.Repeat("\x85", 1<<20)), "where a dictionary"},
		"nested in a version": {slices.Concat(pick("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), pick(")", strings.Repeat("\x85", 1<<20)),
			pick("N"), pick("N"), pick("N")), "another version"},
		"a long number":        {pick("\x8b\x00\x00\x10\x00", strings.Repeat("\x01", 1<<20)), "too long"},
		"a long name":          {pick("}", text(strings.Repeat("n", 2000)), fourFloats, "s"), "a name of 2000 bytes"},
		"names of names":       {pick(levels.String()), "too often"},
		"a class's long name":  {pick(text(long), text("x"), "\x93"), "too long"},
		"lists":                {pick(strings.Repeat("]", 2<<20)), "no checkpoint"},
		"memo":                 {pick("N", strings.Repeat("\x94", 3<<20)), "no checkpoint"},
		"memo with gaps":       {pick("N", gaps.String()), "no checkpoint"},
		"numbers":              {pick(strings.Repeat("K\x010", 1<<20), "K\x01"), "dictionary"},
		"a wrapper in many":    {pick("}(", strings.Repeat(text("x")+"N", 100_000), "uq\x000](", strings.Repeat(text("model")+"h\x00", 100_000), "e0", "}(", strings.Repeat(text("model")+"h\x00", 100_000), "u"), "no tensors"},
		"one array, often":     {repeated(60_000), "too often"},
		"a cut text":           {[]byte("\x80\x02X\xff\xff\xff\x7f."), "cut"},
		"a cut far text":       {[]byte("\x80\x02\x8d\x00\x00\x00\x00\x00\x00\x00\x40."), "cut"},
		"a negative far text":  {[]byte("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), "cut"},
		"a dtype's long name":  {pick("cnumpy\ndtype\n", text(strings.Repeat("f", 100)), "\x85R"), "100 letters"},
		"an array of 100 axes": {pick("cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(", strings.Repeat("K\x01", 100), "tcnumpy\ndtype\n", text("f4"), "\x85R\x89C\x04\x00\x00\x00\x00tb"), "100 axes"},
	} {
		begin := time.Now()
		var err error
		made := allocated(func() { _, err = readCheckpoint(bytes.NewReader(c.b), int64(len(c.b)), false, "") })
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 10_000 {
			t.Errorf("%s: %.200v; want %q", name, err, c.want)
		}
		if made > allowed(len(c.b)) || made > 1<<30 {
			t.Errorf("%s: %d bytes made %d, want at most %d", name, len(c.b), made, allowed(len(c.b)))
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// repeated is a dictionary with one array of 64 KB under many names.
func repeated(n int) []byte {
	var b strings.Builder
	b.WriteString("}(" + text("t0"))
	b.WriteString("cnumpy.core.multiarray\n_reconstruct\n)R(K\x01M\x00\x40\x85cnumpy\ndtype\n" + text("f4") + "\x85R\x89B\x00\x00\x01\x00" + strings.Repeat("\x00", 1<<16) + "tbq\x00")
	for i := range n {
		b.WriteString(text(fmt.Sprintf("n%d", i)) + "h\x00")
	}
	return pick(b.String(), "u")
}

// Tensors that are tied stay: one array under a few names.
func TestTiedTensors(t *testing.T) {
	b := repeated(10)
	c, err := readCheckpoint(bytes.NewReader(b), int64(len(b)), false, "")
	if err != nil || len(c.Names()) != 11 {
		t.Fatalf("%v, %v", c, err)
	}
	for _, n := range c.Names() {
		if v, err := c.Tensor(n); err != nil || len(v.Data) != 1<<14 {
			t.Errorf("%s: %d elements, %v", n, len(v.Data), err)
		}
	}
}

// Long arrays stay in the file until they are read: as bytes, and as the text that Python 3 makes of them under protocol 2.
func TestFarArrays(t *testing.T) {
	const n = 40_000
	want := upTo(n)
	data := make([]byte, 0, 4*n)
	for _, v := range want {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	var latin strings.Builder
	for _, c := range data {
		latin.WriteRune(rune(c))
	}
	for name, push := range map[string]string{
		"bytes":   "B" + string(binary.LittleEndian.AppendUint32(nil, 4*n)) + string(data),
		"latin-1": "c_codecs\nencode\n" + text(latin.String()) + text("latin1") + "\x86R",
	} {
		b := pick("}", text("x"), "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01M\x40\x9c\x85cnumpy\ndtype\n", text("f4"), "\x85R\x89", push, "tbs")
		c, err := readCheckpoint(bytes.NewReader(b), int64(len(b)), false, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v, err := c.Tensor("x"); err != nil || !slices.Equal(v.Data, want) {
			t.Errorf("%s: %d elements, %v", name, len(v.Data), err)
		}
	}
}

// Archives whose lists are long, or whose files lie on each other.
func TestHostileArchives(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range 250_000 {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("archive/data/%012d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	made := allocated(func() { _, err = readCheckpoint(bytes.NewReader(b.Bytes()), int64(b.Len()), true, "") })
	if err == nil || !strings.Contains(err.Error(), "list of its files") || made > 300<<20 {
		t.Errorf("%d bytes made for an archive of %d files: %v", made, 250_000, err)
	}
}

// A file that says to be of gigabytes and is sparse costs what it holds.
func TestSparsePickle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.pkl")
	if err := os.WriteFile(path, []byte("\x80\x02\x8e\x00\x00\x00\x00\x04\x00\x00\x00."), 0o600); err != nil { // 16 GB of bytes
		t.Fatal(err)
	}
	if err := os.Truncate(path, 20<<30); err != nil {
		t.Skip("this file system has no sparse files: ", err)
	}
	made := allocated(func() {
		if _, err := OpenAny(path); err == nil {
			t.Error("zeros are a checkpoint")
		}
	})
	if made > 4<<20 {
		t.Errorf("%d bytes made", made)
	}
}

func FuzzPickleBudget(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pkl")
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
	f.Add(pick(text("aaaa"), "q\x00", strings.Repeat("c_codecs\nencode\nh\x00\x85R0", 10)))
	f.Add(pick("}", text("model"), "}", text("x"), fourFloats, "ss"))
	f.Add(repeated(3))
	f.Fuzz(func(t *testing.T, b []byte) {
		made := allocated(func() {
			if c, err := readCheckpoint(bytes.NewReader(b), int64(len(b)), false, ""); err == nil {
				readAll(t, c)
			}
		})
		if made > allowed(len(b)) {
			t.Errorf("%d bytes made %d, want at most %d", len(b), made, allowed(len(b)))
		}
	})
}
