package layers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "retinago/"

// pkg is a package of this module.
type pkg struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
	Deps       []string // all packages that it needs, directly or not
}

// Packages that import neither gorgonia nor C, directly or through others.
var leaves = []string{"box", "coco", "nms", "anchors", "loss", "track", "augment"}

// Where third-party packages may be imported: a name, or the beginning of one that ends with a slash.
var homes = map[string][]string{
	"gorgonia.org/gorgonia": {"nn", "nn/", "engine", "engine/", "backbone", "fpn", "head", "detector"},
	"gorgonia.org/cu":       {"engine/cuda", "engine/cuda/"},
	"gocv.io/x/gocv":        {"internal/media/"},
}

// list returns all packages of the module, as a build with some tags sees them.
func list(tags string) (map[string]pkg, error) {
	c := exec.Command("go", "list", "-deps", "-tags", tags, "-json=ImportPath,Imports,CgoFiles,Deps", "./...")
	c.Dir = filepath.Join("..", "..")
	include, err := filepath.Abs(filepath.Join(c.Dir, "engine", "cuda", "driver", "include"))
	if err != nil {
		return nil, err
	}
	c.Env = append(os.Environ(), "CGO_CFLAGS=-I"+include)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -tags %q: %w", tags, err)
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
}

// floors reads the table of docs/design.md: each package's floor.
func floors(text string) (map[string]int, error) {
	row, name := regexp.MustCompile("(?m)^\\| (\\d+) \\| (`.*?`) \\|"), regexp.MustCompile("`([^`]+)`")
	of := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		for _, p := range name.FindAllStringSubmatch(m[2], -1) {
			if of[p[1]] != 0 {
				return nil, fmt.Errorf("%s is in the map twice", p[1])
			}
			of[p[1]] = n
		}
	}
	return of, nil
}

// within reports whether a package is one of some, or below one that ends with a slash.
func within(name string, some []string) bool {
	return slices.ContainsFunc(some, func(s string) bool {
		return name == s || strings.HasSuffix(s, "/") && strings.HasPrefix(name, s)
	})
}

// faults returns each rule that packages break.
func faults(all map[string]pkg, floor map[string]int) []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		name, own := strings.CutPrefix(path, module)
		if !own {
			continue
		}
		if floor[name] == 0 {
			out = append(out, name+" is not in the map of docs/design.md")
		}
		for _, im := range all[path].Imports {
			if other, ok := strings.CutPrefix(im, module); ok && floor[other] >= floor[name] {
				out = append(out, fmt.Sprintf("%s (floor %d) imports %s (floor %d)", name, floor[name], other, floor[other]))
			}
			for third, some := range homes {
				if (im == third || strings.HasPrefix(im, third+"/")) && !within(name, some) {
					out = append(out, fmt.Sprintf("%s imports %s, which belongs to %s", name, im, strings.Join(some, ", ")))
				}
			}
		}
		if !slices.Contains(leaves, name) {
			continue
		}
		for _, dep := range append(all[path].Deps, path) {
			if strings.HasPrefix(dep, "gorgonia.org/") {
				out = append(out, name+" needs "+dep)
			}
			if len(all[dep].CgoFiles) > 0 && strings.Contains(dep, ".") || len(all[dep].CgoFiles) > 0 && strings.HasPrefix(dep, module) {
				out = append(out, name+" needs C, in "+dep)
			}
		}
	}
	return out
}

// The map of docs/design.md names every package, imports point downwards in every build, and leaves stay leaves.
func TestLayers(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	floor, err := floors(string(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, tags := range []string{"", "opencv", "gpu", "gpu opencv", "campaign"} {
		all, err := list(tags)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults(all, floor) {
			t.Errorf("tags %q: %s", tags, f)
		}
		for name := range floor {
			if _, ok := all[module+name]; !ok {
				t.Errorf("tags %q: the map names %s, which is no package", tags, name)
			}
		}
	}
}

// Each broken rule is found.
func TestFaults(t *testing.T) {
	floor := map[string]int{"box": 1, "nms": 2, "nn": 3, "serve": 4, "internal/model/onnx": 4, "nn/lossnode": 4}
	for want, k := range map[string]map[string]pkg{
		"new is not in the map":                 {module + "new": {}},
		"nms (floor 2) imports nn (floor 3)":    {"retinago/nms": {Imports: []string{"retinago/nn"}}},
		"box (floor 1) imports box (floor 1)":   {"retinago/box": {Imports: []string{"retinago/box"}}},
		"serve imports gorgonia.org/gorgonia,":  {"retinago/serve": {Imports: []string{"gorgonia.org/gorgonia"}}},
		"internal/model/onnx imports gorgonia":  {"retinago/internal/model/onnx": {Imports: []string{"gorgonia.org/gorgonia"}}, "retinago/nn/lossnode": {Imports: []string{"gorgonia.org/gorgonia"}}},
		"serve imports gocv.io/x/gocv/contrib,": {"retinago/serve": {Imports: []string{"gocv.io/x/gocv/contrib"}}},
		"box needs gorgonia.org/tensor":         {"retinago/box": {Deps: []string{"gorgonia.org/tensor"}}},
		"nms needs C, in retinago/nn":           {"retinago/nms": {Deps: []string{"retinago/nn"}}, "retinago/nn": {CgoFiles: []string{"a.go"}}},
	} {
		for path, p := range k {
			p.ImportPath = path
			k[path] = p
		}
		if got := faults(k, floor); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%q: got %q", want, got)
		}
	}
	if got := faults(map[string]pkg{"retinago/nms": {Imports: []string{"retinago/box"}}, "retinago/box": {}}, floor); len(got) != 0 {
		t.Errorf("without a fault: %q", got)
	}
}
