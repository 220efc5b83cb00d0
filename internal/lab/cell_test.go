package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/config"
)

// A finished cell is taken for the device that it ran on alone; one without a device ran on the CPU.
func TestFinishedOnADevice(t *testing.T) {
	c := config.Default()
	for _, k := range []struct {
		made, asked string
		same        bool
	}{{"", "", true}, {"", "cpu", true}, {"cuda:0", "cuda:0", true}, {"", "cuda:0", false}, {"cuda:0", "cpu", false}} {
		dir := t.TempDir()
		if err := c.Save(filepath.Join(dir, askedFile)); err != nil {
			t.Fatal(err)
		}
		text := `{"row": {"variant": "ce"}}`
		if k.made != "" {
			text = `{"row": {"variant": "ce"}, "device": "` + k.made + `"}`
		}
		if err := os.WriteFile(filepath.Join(dir, cellFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := finished(dir, c, k.asked)
		if k.same && (err != nil || out == nil || out.Row.Variant != "ce") {
			t.Errorf("made on %q, asked for %q: %v, %v", k.made, k.asked, out, err)
		}
		if !k.same && (err == nil || !strings.Contains(err.Error(), "-device")) {
			t.Errorf("made on %q, asked for %q: %v", k.made, k.asked, err)
		}
	}
}
