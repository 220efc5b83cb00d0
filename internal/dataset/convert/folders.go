package convert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folders are the names of images by folder, sorted. A folder is read once.
type folders map[string][]string

// first is the first image in a path's folder whose name begins as the path's; "" if there is none.
func (f folders) first(path string) string {
	dir, begin := filepath.Split(path)
	names, known := f[dir]
	if !known {
		entries, _ := os.ReadDir(dir) // which sorts; one that cannot be read has no files
		for _, e := range entries {
			if isPicture(e.Name()) {
				names = append(names, e.Name())
			}
		}
		f[dir] = names
	}
	i, _ := slices.BinarySearch(names, begin)
	if i < len(names) && strings.HasPrefix(names[i], begin) {
		return names[i]
	}
	return ""
}
