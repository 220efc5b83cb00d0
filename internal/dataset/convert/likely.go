package convert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// likely are the folders in which the images of a dataset's file may lie, the most likely first: its own, those of its name, of the part that
// its name has in it, and of usual names, beside it and one above.
func likely(path string) []string {
	dir, stem := filepath.Dir(path), strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	above := filepath.Dir(dir)
	parts := []string{strings.TrimPrefix(stem, "instances_"), stem}
	parts = append(parts, partsOf(stem)...)
	names := slices.Clone(parts)
	for _, p := range parts {
		names = append(names, filepath.Join("images", p))
	}
	names = append(names, "images", "JPEGImages", "data", "img")
	out := []string{dir}
	for _, root := range []string{dir, above} {
		for _, n := range names {
			if p := filepath.Join(root, n); !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return append(out, above)
}

// partsOf are the names of the part of a dataset that a file's name has in it, its own first: train, training and so on of train-annotations-bbox.
func partsOf(stem string) []string {
	words := strings.FieldsFunc(strings.ToLower(stem), func(r rune) bool { return strings.ContainsRune("-_. ", r) })
	for _, w := range words {
		for _, names := range [][]string{trainNames, {"valid", "val", "validation", "val2017"}, testNames} {
			if slices.Contains(names, w) {
				return append([]string{w}, names...)
			}
		}
	}
	return nil
}

// besideFolder is the first of the likely folders of a dataset's file in which has finds an image, or else the only folder beside the file that
// has one.
func besideFolder(path string, has func(folder string) bool) (string, bool) {
	for _, folder := range likely(path) {
		if isFolder(folder) && has(folder) {
			return folder, true
		}
	}
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	var found []string
	for _, e := range entries {
		p := filepath.Join(dir, e.Name())
		if !hidden(e.Name()) && isFolder(p) && has(p) {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
