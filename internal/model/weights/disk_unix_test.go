//go:build unix

package weights

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// A limit on the size of files stands for a full disk: the write fails half-way.
func TestFullDiskKeepsOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	if err := Write(path, nil, []Tensor{{"x", []int{1}, []float32{1}}}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)

	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip("no limits on this system: ", err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	limit := old
	limit.Cur = 64 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skip("limits cannot be set: ", err)
	}
	err := Write(path, nil, []Tensor{{"x", []int{1 << 20}, make([]float32, 1<<20)}})
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); e != nil {
		t.Fatal(e)
	}
	if err == nil {
		t.Fatal("4 MB fitted into 64 KB")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the old file was changed")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left %v behind", files)
	}
}
