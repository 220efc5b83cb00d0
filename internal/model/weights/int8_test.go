package weights

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInt8(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	values := [][]float32{{-128, 127, 0, -1, 5}, {1.5}}
	specs := []Spec{{Name: "q", Shape: []int{5}, Int8: true}, {Name: "s", Shape: []int{1}}}
	read := func(i int, dst []float32) error {
		copy(dst, values[i])
		return nil
	}
	if err := WriteFrom(path, nil, specs, read); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if dtype, shape, _ := f.Info("q"); dtype != "I8" || !slices.Equal(shape, []int{5}) {
		t.Errorf("stored as %s %v", dtype, shape)
	}
	if q, err := f.Int8("q"); err != nil || !slices.Equal(q, []int8{-128, 127, 0, -1, 5}) {
		t.Errorf("%v, %v", q, err)
	}
	if s, err := f.Tensor("s"); err != nil || s.Data[0] != 1.5 {
		t.Errorf("the tensor after it is %v, %v", s, err)
	}
	if _, err := f.Tensor("q"); err == nil || !strings.Contains(err.Error(), "scales") {
		t.Errorf("I8 as numbers: %v", err)
	}
	if _, err := f.Int8("s"); err == nil || !strings.Contains(err.Error(), "F32") {
		t.Errorf("F32 as I8: %v", err)
	}
	for _, v := range []float32{128, -129, .5} {
		values[0][2] = v
		if err := WriteFrom(path, nil, specs, read); err == nil || !strings.Contains(err.Error(), `"q"`) {
			t.Errorf("%g is written: %v", v, err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Size()%8 != (5+4)%8 {
		t.Errorf("the file has %d bytes", st.Size())
	}
}
