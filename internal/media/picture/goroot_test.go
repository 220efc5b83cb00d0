package picture

import (
	"os/exec"
	"strings"
	"testing"
)

// goroot is the folder of the Go that runs the tests, empty where there is none: its sources have test images.
func goroot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
