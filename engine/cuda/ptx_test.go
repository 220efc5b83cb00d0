//go:build gpu && linux && amd64

package cuda_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The embedded module is what the sources compile to.
func TestPTX(t *testing.T) {
	if _, err := exec.LookPath("clang-16"); err != nil {
		t.Skip("needs clang-16 (apt-get install clang-16); absent here")
	}
	want, err := exec.Command(filepath.Join("..", "..", "scripts", "ptx")).Output()
	must(t, err)
	have, err := os.ReadFile("kernels.ptx")
	must(t, err)
	if !bytes.Equal(want, have) {
		t.Error("kernels.ptx is not of these sources: scripts/ptx > engine/cuda/kernels.ptx")
	}
}
