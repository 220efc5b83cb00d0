package convert

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"retinago/internal/file"
	"retinago/internal/media/picture"
)

// Bounds of files, in bytes.
const (
	maxPicture = 16 << 20 // annotations of one image
	maxList    = 64 << 20 // a list of images
	maxYAML    = 8 << 20  // data.yaml
	maxCSV     = 64 << 30 // which is read as a stream
)

// readFile reads a file of text as UTF-8.
func readFile(path string, most int64) ([]byte, error) {
	f, err := file.Stream(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(utf8(f))
}

// utf8 reads text without its byte order mark, which also says whether it is UTF-16.
func utf8(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}

// isPicture reports whether a file has an image's ending.
func isPicture(name string) bool {
	return slices.Contains(picture.Endings, strings.ToLower(filepath.Ext(name)))
}

// hidden reports whether a file or folder is hidden, as those are that systems put beside images ("._a.jpg", ".Trash").
func hidden(name string) bool { return len(name) > 1 && name[0] == '.' && name != ".." }

// eachPicture calls f with the path of each image below a folder, and with its name relative to it, in the order of
// the paths, until f returns an error, fs.SkipAll for a good end. The folder may be a link. What is no regular file has an error. Hidden files and folders are passed over.
func eachPicture(dir string, f func(path, name string, err error) error) error {
	top := dir + string(filepath.Separator)
	return filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		if err == nil && p != top && hidden(e.Name()) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil || e.IsDir() || !isPicture(p) {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() { // a link may be to a regular file
			err = file.Irregular(p)
		}
		return f(p, filepath.ToSlash(name), err)
	})
}

// folder is where a dataset is written. Its files are made anew.
type folder string

// write writes a file that is not there yet.
func (f folder) write(name string, b []byte) error {
	if err := f.free([]string{name}); err != nil {
		return err
	}
	return f.replace(name, b)
}

// replace writes a file, in place of one that is there.
func (f folder) replace(name string, b []byte) error {
	path, err := file.Below(string(f), name)
	if err == nil {
		err = file.Put(path, b)
	}
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return nil
}

// free is the error of the first of some files that is there.
func (f folder) free(names []string) error {
	for _, name := range names {
		if err := absent(filepath.Join(string(f), name)); err != nil {
			return fmt.Errorf("convert: %w", err)
		}
	}
	return nil
}

// sync makes what was written durable.
func (f folder) sync() error { return file.SyncAll(string(f)) }

func absent(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: give an empty folder", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
