package weights

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// summed is a small file as a run's state or a checkpoint is, F32 and I8.
func summed(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	specs := []Spec{{Name: "a.weight", Shape: []int{2, 3}, Int8: true}, {Name: "a.weight_scale", Shape: []int{2}}, {Name: "b.weight", Shape: []int{40}},
		{Name: "optimizer.0.b.weight", Shape: []int{40}}, {Name: "empty", Shape: []int{0}}}
	err := WriteFrom(path, map[string]string{"retinago.state": `{"step": 7}`, "note": `"retinago.header":"00000000"`}, specs, func(i int, dst []float32) error {
		for k := range dst {
			dst[k] = float32(k + i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// load reads everything, as a program does that takes every tensor; err is the first error.
func load(b []byte) (f *File, err error) {
	f, err = read("w.safetensors", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, n := range f.Names() {
		if dtype, _, _ := f.Info(n); dtype == "I8" {
			_, err = f.Int8(n)
		} else {
			_, err = f.Tensor(n)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// Every bit of every byte counts: each flip is an error, in data with the tensor's name.
func TestEveryFlipIsNoticed(t *testing.T) {
	whole := summed(t)
	f, err := load(whole)
	if err != nil || !f.Summed() || f.Metadata["note"] == "" || len(f.Metadata) != 2 {
		t.Fatalf("the whole file: %v", err)
	}
	if err := f.Verify(); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		for _, flip := range []byte{1, 0x10, 0x20, 0x80, 0xff, whole[i]} { // the last makes a zero
			if flip == 0 {
				continue
			}
			b := bytes.Clone(whole)
			b[i] ^= flip
			damaged, err := load(b)
			if err == nil {
				t.Fatalf("byte %d of %d, flipped by %#x, is not noticed", i, len(b), flip)
			}
			if int64(i) < f.start {
				continue
			}
			e := f.entries[slices.IndexFunc(f.entries, func(e entry) bool { return f.start+e.end > int64(i) })]
			if !strings.Contains(err.Error(), `"`+e.name+`"`) || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("byte %d lies in %q: %v", i, e.name, err)
			}
			if err := damaged.Verify(); err == nil || !strings.Contains(err.Error(), e.name) {
				t.Errorf("byte %d: Verify says %v", i, err)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	whole := summed(t)
	f, err := load(whole)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) []byte { // in a copy
		e := f.entries[f.byName[name]]
		return whole[f.start+e.begin : f.start+e.end]
	}
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"a zeroed half":   {func(b []byte) []byte { clear(b[len(b)/2:]); return b }, "damaged"},
		"a zeroed start":  {func(b []byte) []byte { clear(b[:len(b)/2]); return b }, "header"},
		"a zeroed page":   {func(b []byte) []byte { clear(b[len(b)-64:]); return b }, `"optimizer.0.b.weight"`},
		"a zeroed header": {func(b []byte) []byte { clear(b[64:128]); return b }, "the header"},
		"cut by one":      {func(b []byte) []byte { return b[:len(b)-1] }, "cut off"},
		"cut in half":     {func(b []byte) []byte { return b[:len(b)/2] }, "cut off"},
		"longer by one":   {func(b []byte) []byte { return append(b, 0) }, "at the end"},
		"two tensors in each other's place": {func(b []byte) []byte {
			first, second := bytes.Clone(at("b.weight")), bytes.Clone(at("optimizer.0.b.weight"))
			return slices.Concat(b[:len(b)-len(first)-len(second)], second, first)
		}, `"b.weight"`},
		"another name": {func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"b.weight"`), []byte(`"c.weight"`)) }, "the header"},
		"no sum of the header": {func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"retinago.header"`), []byte(`"retinagx.header"`), 1)
		}, "the header"},
	} {
		if _, err := load(c.change(bytes.Clone(whole))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// Files without sums load; those of retinago are told once.
func TestOlderFiles(t *testing.T) {
	var lines []string
	Notice(func(line string) { lines = append(lines, line) })
	defer Notice(nil)
	entry := `"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	data := binary.LittleEndian.AppendUint32(nil, 0x3f800000)
	own := put(t, raw(`{"__metadata__":{"retinago.state":"{}"},`+entry, data))
	for _, path := range []string{own, own, put(t, raw(`{"__metadata__":{"format":"pt"},`+entry, data)), put(t, summed(t))} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Tensor(f.Names()[len(f.Names())-1]); err != nil {
			t.Error(err)
		}
	}
	if len(lines) != 1 || !strings.Contains(lines[0], own) || !strings.Contains(lines[0], "older file") {
		t.Errorf("lines %q, want one for %s", lines, own)
	}
}

// What checksums cost: reading with and without.
func BenchmarkTensor(b *testing.B) {
	const n = 8 << 20
	path := filepath.Join(b.TempDir(), "w.safetensors")
	if err := Write(path, nil, []Tensor{{"x", []int{n}, make([]float32, n)}}); err != nil {
		b.Fatal(err)
	}
	for _, sums := range []bool{true, false} {
		b.Run(map[bool]string{true: "summed", false: "plain"}[sums], func(b *testing.B) {
			f, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			f.summed = sums
			b.SetBytes(4 * n)
			for b.Loop() {
				if _, err := f.Tensor("x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
