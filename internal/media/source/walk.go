package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
)

// chunk is how many entries of a folder are read at a time.
const chunk = 4096

// walker reads folders with all below. Links to folders are followed, each folder is read once.
type walker struct {
	// f gets the paths of files that are images or videos, in the order of their names, until it returns false. A folder that cannot be
	// read, an image of a format that is not read, and what is no regular file, come with an error, and the others follow.
	f      func(path string, err error) bool
	wanted func(name string) bool
	roots  []string // real paths of the folder and of those that links lead to
}

// walk passes the files below a folder to f whose names are wanted. It holds the names of one folder and of its parents, and the targets of
// links.
func walk(folder string, wanted func(name string) bool, f func(path string, err error) bool) bool {
	w := &walker{f: f, wanted: wanted}
	real, err := filepath.EvalSymlinks(folder)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return f(folder, fmt.Errorf("source: %w", err))
	}
	w.roots = []string{real}
	return w.folder(folder, real)
}

// folder passes the files below a folder, given by the name that is shown and its real path.
func (w *walker) folder(folder, real string) bool {
	entries, err := list(folder, w.wanted)
	if err != nil && !w.f(folder, fmt.Errorf("source: %w", err)) {
		return false
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.name)
		switch {
		case e.folder && e.link:
			target, err := filepath.EvalSymlinks(path)
			if err == nil {
				target, err = filepath.Abs(target)
			}
			if err != nil {
				if !w.f(path, fmt.Errorf("source: %w", err)) {
					return false
				}
				continue
			}
			if slices.ContainsFunc(w.roots, func(root string) bool { return within(root, target) }) {
				continue // it is read under its own name, or was
			}
			w.roots = append(w.roots, target)
			if !w.folder(path, target) {
				return false
			}
		case e.folder:
			if own := filepath.Join(real, e.name); !slices.Contains(w.roots, own) && !w.folder(path, own) {
				return false
			}
		default:
			if err := e.fault(path); errors.Is(err, errOther) {
				continue
			} else if !w.f(path, err) {
				return false
			}
		}
	}
	return true
}

// within reports whether a path is a folder or below it.
func within(folder, path string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

// entry is what a folder has.
type entry struct {
	name    string
	folder  bool
	link    bool
	special bool // neither a folder nor a regular file: a link, pipe or device
}

// fault is why a file is not read, nil for one that is, and errOther for one that is neither image nor video.
func (e entry) fault(path string) error {
	if e.special {
		if err := file.Irregular(path); err != nil {
			if errors.Is(err, file.ErrIrregular) && kindOf(path) == unknown {
				return errOther
			}
			if e.link && !errors.Is(err, file.ErrIrregular) {
				err = fmt.Errorf("%s is a link to what is not there: mend or remove it", path)
			}
			return fmt.Errorf("source: %w", err)
		}
	}
	return unread(path)
}

// list is the files of a folder that may be images or videos, and its folders, by name.
func list(folder string, wanted func(name string) bool) (entries []entry, err error) {
	d, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		some, err := d.ReadDir(chunk)
		for _, e := range some {
			v := entry{name: e.Name(), folder: e.IsDir(), link: e.Type()&os.ModeSymlink != 0, special: !e.Type().IsRegular()}
			if v.link {
				st, err := os.Stat(filepath.Join(folder, v.name))
				v.folder = err == nil && st.IsDir() && kindOf(v.name) <= unknown // one that is called an image is no folder of images
			}
			if v.folder || wanted(v.name) {
				entries = append(entries, v)
			}
		}
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			continue
		}
		slices.SortFunc(entries, func(a, b entry) int { return natural(a.name, b.name) })
		return entries, err
	}
}

// Pictures are the image files of images, folders with all below, and globs, without those of formats that are not read.
func Pictures(names []string) ([]string, error) {
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
			walk(path, wanted, func(path string, err error) bool {
				switch {
				case errors.Is(err, errUnread) || err == nil && kindOf(path) == isVideo:
					return true
				case err != nil:
					failed = err
					return false
				}
				out = append(out, path)
				return true
			})
			if failed != nil {
				return nil, failed
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("source: %s: no images there (%s)", name, strings.Join(pictures, " "))
		}
	}
	return out, nil
}

// glob is the path, if it is there, or what it matches. What is there of it stands for itself: a folder called a[1] is no pattern.
func glob(path string) ([]string, error) {
	_, err := os.Stat(path)
	if err == nil {
		return []string{path}, nil
	}
	there := path
	for {
		up := filepath.Dir(there)
		if up == there || up == "." {
			there = ""
			break
		}
		if there = up; exists(there) {
			break
		}
	}
	if matches, bad := filepath.Glob(literal.Replace(there) + path[len(there):]); bad == nil && len(matches) > 0 {
		slices.SortFunc(matches, natural)
		return matches, nil
	}
	return nil, absentFile(path, err)
}

// absentFile is the error of a name that is not there.
func absentFile(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return absent(fmt.Sprintf("source: %s: there is no such file or folder%s", path, file.From(path)))
	}
	return fmt.Errorf("source: %w", err)
}

// absent is the text of an fs.ErrNotExist.
type absent string

func (a absent) Error() string { return string(a) }

func (absent) Is(target error) bool { return target == fs.ErrNotExist }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// literal makes a pattern of a name that matches the name alone.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
