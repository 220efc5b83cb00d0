package engine_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"retinago/engine"
)

// unfit supports what it has no methods for.
type unfit struct{ engine.Engine }

func (unfit) Name() string                  { return "unfit" }
func (unfit) Supports(op engine.Op) bool    { return op != engine.Async }
func (unfit) Floats() (none []float32)      { return none } // another method than HostMemory's
func (unfit) Peaks() ([]engine.Peak, error) { return nil, nil }
func (unfit) PeakBytes() int64              { return 7 }

// As asks the engine first, and panics with the names of both where an engine supports what it has no methods for.
func TestAs(t *testing.T) {
	if _, ok := engine.As[engine.PeakMeter](unfit{}, engine.Async); ok {
		t.Error("what an engine does not support is there")
	}
	if m, ok := engine.As[engine.PeakMeter](unfit{}, engine.PeakRates); !ok || m.PeakBytes() != 7 {
		t.Error("what an engine supports is not there")
	}
	defer func() {
		if s, _ := recover().(string); !strings.Contains(s, "unfit") || !strings.Contains(s, "HostMemory") {
			t.Errorf("panic %q", s)
		}
	}()
	engine.As[engine.HostMemory](unfit{}, engine.HostReadable)
}

// Other packages ask engines by Supports and As: none looks at an engine's methods itself.
func TestAssertions(t *testing.T) {
	assertion := regexp.MustCompile(`\.\(engine\.[A-Z]\w*\)|case engine\.(BatchedConv|HostMemory|Limited|Mixed|Int8|Recorder|FusedOptimizer|PeakMeter|\w+Losses)\b`)
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if files++; err == nil && assertion.Match(b) {
			t.Errorf("%s looks at an engine's methods: %s; use engine.As", path, assertion.Find(b))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("%d files of the project are read", files)
	}
}
