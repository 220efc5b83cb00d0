package train

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
)

// A published MobileNetV1 in PyTorch's legacy format is a backbone to start from, whole; at another width it is refused.
func TestStartFromMobileNet(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "data", "weights", "mobilenet_v1_x0.25_imagenet.legacy.pth")
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs ../shared/data (real weights); absent here")
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for width, want := range map[int]string{8: "135 tensors of the backbone loaded, 0 initialised, 2 skipped", 0: "another architecture"} {
		c := config.Default().Model
		c.Backbone, c.BackboneWidth, c.LeakySlope, c.FPNWidth, c.HeadDepth, c.Classes = "mobilenet_v1", width, .1, 16, 1, []string{"face"}
		m, err := detector.New(c, e, 1)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		err = start(m, path, config.Config{Model: c}, &log)
		if text := log.String(); err != nil {
			text = err.Error()
			if !strings.Contains(text, want) {
				t.Errorf("width %d: %s", width, text)
			}
		} else if !strings.Contains(text, want) {
			t.Errorf("width %d: %s", width, text)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
