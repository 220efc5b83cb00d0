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
)

// maxFile bounds the annotations of one picture, and lists, in bytes.
const maxFile = 64 << 20

// readFile reads a file of text.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return b, err
}

var pictureEndings = []string{".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}

// eachPicture calls f with the path of each picture below a folder, and with its name relative to it, in the order of
// the paths. The folder may be a link.
func eachPicture(dir string, f func(path, name string)) error {
	return filepath.WalkDir(dir+string(filepath.Separator), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(p))) {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err == nil {
			f(p, filepath.ToSlash(name))
		}
		return err
	})
}

// create makes a file that is not there yet, with its folder.
func create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("convert: %s is there already: give an empty folder", path)
	}
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	return f, nil
}

// writeFile writes a file that is not there yet, with its folder.
func writeFile(path string, b []byte) error {
	f, err := create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
