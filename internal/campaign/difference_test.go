//go:build campaign

package campaign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"retinago/internal/model/weights"
)

// clocks are the keys of JSON whose values are times and memory, which differ from run to run.
var clocks = []string{"step_s", "wait_s", "eval_s", "rss_mb", "seconds", "picture_ms"}

// differences compares the folders of two runs or sweeps, file by file: tensors to the bit and metadata, JSON without its clocks,
// configurations to the letter. Of other files (progress for people, plots, pages) only the names.
func differences(want, got string) []string {
	var out []string
	a, errA := files(want)
	b, errB := files(got)
	if errA != nil || errB != nil {
		return []string{fmt.Sprint(errA, errB)}
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !b[name] {
			out = append(out, name+" is missing")
			continue
		}
		if d := difference(filepath.Join(want, name), filepath.Join(got, name)); d != "" {
			out = append(out, name+": "+d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if !a[name] {
			out = append(out, name+" is left over")
		}
	}
	return out
}

// files are the names of all files below a folder.
func files(dir string) (map[string]bool, error) {
	out := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			out[name] = true
		}
		return err
	})
	return out, err
}

func difference(want, got string) string {
	switch filepath.Ext(want) {
	case ".safetensors":
		return tensorDifference(want, got)
	case ".json", ".jsonl", ".yaml":
	default:
		return ""
	}
	a, errA := os.ReadFile(want)
	b, errB := os.ReadFile(got)
	if errA != nil || errB != nil {
		return fmt.Sprint(errA, errB)
	}
	switch filepath.Ext(want) {
	case ".json":
		return jsonDifference(a, b)
	case ".jsonl":
		return lineDifference(a, b)
	}
	if !bytes.Equal(a, b) {
		return "another text"
	}
	return ""
}

// lineDifference compares logs line by line.
func lineDifference(a, b []byte) string {
	want, got := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(want), len(got)) {
		if len(want[i]) == 0 && len(got[i]) == 0 {
			continue
		}
		if d := jsonDifference(want[i], got[i]); d != "" {
			return fmt.Sprintf("line %d of %d and %d: %s", i+1, len(want)-1, len(got)-1, d)
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d lines, want %d", len(got)-1, len(want)-1)
	}
	return ""
}

func jsonDifference(a, b []byte) string {
	var want, got any
	if err := json.Unmarshal(a, &want); err != nil {
		return err.Error()
	}
	if err := json.Unmarshal(b, &got); err != nil {
		return fmt.Sprintf("%v: %.80q", err, b)
	}
	if !reflect.DeepEqual(unclocked(want), unclocked(got)) {
		return fmt.Sprintf("%.160s, want %.160s", b, a)
	}
	return ""
}

// unclocked is JSON without its clocks.
func unclocked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if slices.Contains(clocks, strings.ToLower(k)) {
				delete(v, k)
			} else {
				v[k] = unclocked(v[k])
			}
		}
	case []any:
		for i := range v {
			v[i] = unclocked(v[i])
		}
	}
	return v
}

func tensorDifference(want, got string) string {
	a, err := weights.Open(want)
	if err != nil {
		return err.Error()
	}
	defer a.Close()
	b, err := weights.Open(got)
	if err != nil {
		return err.Error()
	}
	defer b.Close()
	if !slices.Equal(a.Names(), b.Names()) {
		return "other tensors"
	}
	for _, name := range a.Names() {
		x, err := a.Tensor(name)
		if err != nil {
			return err.Error()
		}
		y, err := b.Tensor(name)
		if err != nil {
			return err.Error()
		}
		if !slices.Equal(x.Shape, y.Shape) {
			return fmt.Sprintf("%s is %v, want %v", name, y.Shape, x.Shape)
		}
		for i := range x.Data {
			if math.Float32bits(x.Data[i]) != math.Float32bits(y.Data[i]) {
				return fmt.Sprintf("%s[%d] is %v, want %v", name, i, y.Data[i], x.Data[i])
			}
		}
	}
	for k, v := range a.Metadata {
		if b.Metadata[k] != v {
			return fmt.Sprintf("metadata %s is %.200q, want %.200q", k, b.Metadata[k], v)
		}
	}
	return ""
}
