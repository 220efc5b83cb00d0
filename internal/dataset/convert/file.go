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

	"retinago/internal/file"
)

// Bounds of files, in bytes.
const (
	maxPicture = 16 << 20 // annotations of one picture
	maxList    = 64 << 20 // a list of pictures
	maxYAML    = 8 << 20  // data.yaml
	maxCSV     = 64 << 30 // which is read as a stream
)

// readFile reads a file of text.
func readFile(path string, most int64) ([]byte, error) {
	f, err := file.Stream(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

var pictureEndings = []string{".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}

// eachPicture calls f with the path of each picture below a folder, and with its name relative to it, in the order of
// the paths. The folder may be a link. What is no regular file has an error.
func eachPicture(dir string, f func(path, name string, err error)) error {
	return filepath.WalkDir(dir+string(filepath.Separator), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(p))) {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() { // a link may be to a regular file
			err = file.Irregular(p)
		}
		f(p, filepath.ToSlash(name), err)
		return nil
	})
}

// folder is where a dataset is written. Its files are made anew.
type folder string

// write writes a file that is not there yet.
func (f folder) write(name string, b []byte) error {
	path, err := file.Below(string(f), name)
	if err == nil {
		err = absent(path)
	}
	if err == nil {
		err = file.Put(path, b)
	}
	if err != nil {
		return fmt.Errorf("convert: %w", err)
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
