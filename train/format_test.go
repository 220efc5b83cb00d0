package train

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"retinago/config"
	"retinago/detector"
	"retinago/engine/cpu"
	"retinago/internal/dataset/data"
	"retinago/internal/model/weights"
)

// golden unpacks a run of two steps that a version wrote which had the given format.
func golden(t *testing.T, format int) (dir string, c config.Config) {
	t.Helper()
	from, dir := filepath.Join("testdata", fmt.Sprintf("format%d", format)), t.TempDir()
	files, err := os.ReadDir(from)
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name, packed := strings.CutSuffix(f.Name(), ".gz")
		if packed {
			r, err := gzip.NewReader(bytes.NewReader(b))
			if err == nil {
				b, err = io.ReadAll(r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = config.Load(filepath.Join(dir, ConfigFile), nil); err != nil {
		t.Fatal(err)
	}
	c.Data.Root = t.TempDir()
	err = data.Shapes(c.Data.Root, data.ShapesOptions{Train: 4, Val: 2, Size: 64, MinObjects: 1, MaxObjects: 2, MinSize: 12, MaxSize: 40, Empty: .04, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return dir, c
}

// Checkpoints, states and configurations of every earlier format are read, and runs go on from them.
func TestGoldenFormats(t *testing.T) {
	for format := range stateFormat + 1 {
		t.Run(fmt.Sprint(format), func(t *testing.T) {
			dir, c := golden(t, format)
			if c.Data.Train.Source != "train.json" || c.Data.Val.Source != "val.json" || c.Train.InitWeights == "" {
				t.Errorf("the configuration has %+v", c.Data)
			}
			e, err := cpu.New(cpu.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			m, info, err := detector.Open(filepath.Join(dir, LastModel), e)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if info.Step != 2 || len(info.Categories) != 4 || info.Categories[2] != (detector.Category{ID: 4, Name: "triangle"}) ||
				info.Config.Data.Train.Source != "train.json" || info.Metrics["AP50"] != 0 || len(info.Metrics) != 6 {
				t.Errorf("the checkpoint has %+v", info)
			}
			pattern := parameters(t, filepath.Join(dir, LastModel))["backbone.body.conv1.weight"]
			if len(pattern) != 8*3*7*7 || !slices.Equal(pattern[:5], []float32{-2. / 24, -1. / 24, 0, 1. / 24, 2. / 24}) {
				t.Errorf("conv1 has %d weights, the first %v", len(pattern), pattern[:min(5, len(pattern))])
			}
			c.Train.Steps = 3
			var log bytes.Buffer
			if err := Run(context.Background(), c, Options{Out: dir, Resume: true, Extend: true, Log: &log}); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			for _, want := range []string{"resume    at step 2", "step 3/3"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q:\n%s", want, &log)
				}
			}
			if strings.Contains(log.String(), "annotations of") || strings.Contains(log.String(), "not compared") {
				t.Errorf("the run has changed:\n%s", &log)
			}
			if info, err := detector.ReadInfo(filepath.Join(dir, LastModel)); err != nil || info.Step != 3 {
				t.Errorf("resumed: %+v, %v", info, err)
			}
		})
	}
	if detector.Format != stateFormat {
		t.Errorf("checkpoints have format %d, states %d: each has its golden files in testdata/formatN", detector.Format, stateFormat)
	}
}

// Files of a later format are refused.
func TestLaterFormats(t *testing.T) {
	dir, c := golden(t, stateFormat)
	later := func(name, key string) {
		t.Helper()
		path := filepath.Join(dir, name)
		f, err := weights.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(f.Metadata[key]), &m); err != nil {
			t.Fatal(err)
		}
		m["format"] = 9
		js, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		metadata := map[string]string{}
		for k, v := range f.Metadata {
			if k == key {
				metadata[k] = string(js)
			} else if k == "retinago.config" {
				metadata[k] = v
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := weights.Write(path, metadata, []weights.Tensor{{Name: "a", Shape: []int{1}, Data: []float32{1}}}); err != nil {
			t.Fatal(err)
		}
	}
	later(LastModel, "retinago.model")
	later(StateFile, stateKey)
	const want = "has format 9, of a later version of retinago"
	if _, err := detector.ReadInfo(filepath.Join(dir, LastModel)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a checkpoint: %v", err)
	}
	if err := Run(context.Background(), c, Options{Out: dir, Resume: true}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a state: %v", err)
	}
}
