package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrName is the cause of an error from Below that is of the name alone: files of other names can be written.
var ErrName = errors.New("no file can be written there")

// Below is the path of a file below a folder, whose name is a user's, a dataset's or a checkpoint's. It makes the folders on
// the way. A name that leads out of the folder, by itself or over a link, is an error.
func Below(dir, name string) (string, error) {
	if err := WellNamed(name); err != nil {
		return "", named(dir, name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the folder %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if parent := filepath.Dir(name); parent != "." {
		if err := root.MkdirAll(parent, 0o755); err != nil {
			return "", found(dir, name, err)
		}
	}
	st, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", found(dir, name, err)
	case st.IsDir():
		return "", named(dir, name, errors.New("a folder of that name is there: move it, or give another output folder"))
	}
	return filepath.Join(dir, name), nil
}

// longest is how many bytes a part of a path may have on the usual file systems.
const longest = 255

// WellNamed is the error of a name that leads out of every folder, or that no file can have.
func WellNamed(name string) error {
	if strings.ContainsRune(name, 0) {
		return errors.New("it has a zero byte: correct the name")
	}
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." {
		return errors.New("it leads out of the output folder: correct the name, to one without .. and without / at its begin")
	}
	for part := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		if len(part) > longest {
			return fmt.Errorf("a part of it has %d bytes, file systems take %d: shorten it", len(part), longest)
		}
	}
	return nil
}

// found distinguishes errors of this name from those that every name would have, such as a full disk.
func found(dir, name string, err error) error {
	for _, general := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EROFS, syscall.EIO, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, general) {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
	}
	return named(dir, name, fmt.Errorf("%w: remove the link or file on its way, or correct the name", err))
}

func named(dir, name string, err error) error {
	const most = 80
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	return fmt.Errorf("%w: %q below %s: %w", ErrName, name, dir, err)
}
