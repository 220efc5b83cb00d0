package infer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/model/quant"
)

func TestSpread(t *testing.T) {
	if got := evenFirst(7, 3); !slices.Equal(got, []int{0, 2, 4, 1, 3, 5, 6}) {
		t.Errorf("3 of 7: %v", got)
	}
	if got := evenFirst(2, 2); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("2 of 2: %v", got)
	}
}

// Images that cannot be read are named and replaced, and the file that comes out detects.
func TestQuantize(t *testing.T) {
	dir := t.TempDir()
	path, err := save(dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, info, err := detector.Open(path, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	bad := filepath.Join(dir, "bad.jpg")
	if err := os.WriteFile(bad, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []string{bad}
	for _, s := range [][2]int{{90, 60}, {60, 80}, {64, 64}} {
		name := filepath.Join(dir, string(rune('a'+len(files)))+".jpg")
		if err := noise(s[0], s[1]).WriteJPEG(name, 90); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	o := quant.Options{Method: quant.Method{Kind: "minmax"}, Float: []string{quant.First, quant.Last}}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Quantize(stopped, m, info.Config.Data, files, 2, o, nil); !errors.Is(err, context.Canceled) || m.Int8() != nil {
		t.Errorf("a stopped calibration: %v", err)
	}
	var last [2]int
	broken, err := Quantize(context.Background(), m, info.Config.Data, files, 2, o, func(done, total int) { last = [2]int{done, total} })
	if err != nil {
		t.Fatal(err)
	}
	if len(broken) != 1 || broken[bad] == nil || last != [2]int{2, 2} || m.Int8().Images != 2 {
		t.Errorf("broken %v, progress %v, %d pictures", broken, last, m.Int8().Images)
	}
	out := filepath.Join(dir, "int8.safetensors")
	if err := m.Save(out, info); err != nil {
		t.Fatal(err)
	}
	p, err := Load(out, low())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if d, err := p.Predict(t.Context(), noise(120, 90)); err != nil || len(d) == 0 {
		t.Errorf("%d detections, %v", len(d), err)
	}
}
