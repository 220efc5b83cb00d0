package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
)

// chunk is how many entries of a folder are read at a time.
const chunk = 4096

// walk calls f with the paths of the files below a folder whose extensions are wanted, in the order of their names, until f
// returns false. A folder that cannot be read, and what is no regular file, is an error to f, and the others follow. It holds the names
// of one folder and of its parents.
func walk(folder string, wanted func(path string) bool, f func(path string, err error) bool) bool {
	names, special, err := list(folder, wanted)
	if err != nil && !f(folder, fmt.Errorf("source: %w", err)) {
		return false
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		if strings.HasSuffix(name, "/") {
			if !walk(path, wanted, f) {
				return false
			}
			continue
		}
		var err error
		if special[name] {
			if err = file.Irregular(path); err != nil {
				err = fmt.Errorf("source: %w", err)
			}
		}
		if !f(path, err) {
			return false
		}
	}
	return true
}

// list is the names of wanted files in a folder, and of folders with a slash at their ends; special are those that are links, pipes
// or the like.
func list(folder string, wanted func(string) bool) (names []string, special map[string]bool, err error) {
	d, err := os.Open(folder)
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	special = map[string]bool{}
	for {
		entries, err := d.ReadDir(chunk)
		for _, e := range entries {
			switch {
			case e.IsDir():
				names = append(names, e.Name()+"/")
			case wanted(e.Name()):
				names = append(names, e.Name())
				if !e.Type().IsRegular() {
					special[e.Name()] = true
				}
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			continue
		}
		slices.SortFunc(names, func(a, b string) int {
			return strings.Compare(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
		})
		return names, special, err
	}
}

// Pictures are the picture files of pictures, folders with all below, and globs.
func Pictures(names []string) ([]string, error) {
	isPicture := func(path string) bool { return hasExtension(path, pictures) }
	var out []string
	for _, name := range names {
		files, err := glob(name)
		if err != nil {
			return nil, err
		}
		before := len(out)
		for _, path := range files {
			if st, err := os.Stat(path); err != nil || !st.IsDir() {
				out = append(out, path)
				continue
			}
			var failed error
			walk(path, isPicture, func(path string, err error) bool {
				out, failed = append(out, path), err
				return err == nil
			})
			if failed != nil {
				return nil, failed
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("source: %s: no pictures there (%s)", name, strings.Join(pictures, " "))
		}
	}
	return out, nil
}

// glob is the path, if it is there, or what it matches.
func glob(path string) ([]string, error) {
	_, err := os.Stat(path)
	if err == nil {
		return []string{path}, nil
	}
	if matches, bad := filepath.Glob(path); bad == nil && len(matches) > 0 {
		return matches, nil
	}
	return nil, fmt.Errorf("source: %w", err)
}
