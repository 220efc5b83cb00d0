package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"retinago/coco"
	"retinago/internal/file"
)

// WriteYOLO writes labels/split/*.txt below dir, for images in images/split, which are not copied, and the key split of data.yaml. A
// data.yaml that is there keeps its other parts; it must have the same classes. With overwrite a part that is there is replaced, and labels that
// this program wrote for images which the part no longer has are removed. Crowd regions have no place in the format and are left out; their
// number is returned. An error of the dataset, or of files that are there, comes before anything is written.
func WriteYOLO(d *coco.Dataset, dir, split string, overwrite bool) (crowds int, err error) {
	list, err := objects(d)
	if err != nil {
		return 0, err
	}
	names, index := named(d)
	files, err := outputs(d, func(n string) string { return strings.TrimSuffix(n, filepath.Ext(n)) + ".txt" })
	if err != nil {
		return 0, err
	}
	for i := range files {
		files[i] = filepath.Join("labels", split, filepath.FromSlash(files[i]))
		if im := d.Images[i]; im.Width < 1 || im.Height < 1 {
			return 0, fmt.Errorf("convert: image %d (%s) is %dx%d pixels", im.ID, im.FileName, im.Width, im.Height)
		}
	}
	out := folder(dir)
	description, err := describeYOLO(filepath.Join(dir, "data.yaml"), split, names, overwrite)
	if err != nil {
		return 0, err
	}
	if !overwrite {
		if err := out.free(files); err != nil {
			return 0, err
		}
	}
	for i, im := range d.Images {
		var text strings.Builder
		for _, a := range list[i] {
			if a.IsCrowd {
				crowds++
				continue
			}
			w, h := float64(im.Width), float64(im.Height)
			fmt.Fprintf(&text, "%d %.8g %.8g %.8g %.8g\n", index[a.CategoryID], (a.BBox[0]+a.BBox[2]/2)/w, (a.BBox[1]+a.BBox[3]/2)/h, a.BBox[2]/w, a.BBox[3]/h)
		}
		if err := out.replace(files[i], []byte(text.String())); err != nil {
			return 0, err
		}
	}
	if overwrite {
		if err := stale(filepath.Join(dir, "labels", split), dir, files); err != nil {
			return 0, err
		}
	}
	return crowds, errors.Join(out.replace("data.yaml", description), out.sync())
}

// stale removes the labels below a folder that an earlier part left, without those in kept, which are paths below dir. Labels that this program
// did not write, or that were changed since, stay.
func stale(labels, dir string, kept []string) error {
	keep := map[string]bool{}
	for _, name := range kept {
		keep[filepath.Join(dir, name)] = true
	}
	return filepath.WalkDir(labels, func(path string, e fs.DirEntry, err error) error {
		if path == labels && errors.Is(err, fs.ErrNotExist) {
			return nil // a part without images
		}
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) != ".txt" || keep[path] || !file.Mine(path) {
			return err
		}
		return os.Remove(path)
	})
}

// describeYOLO is the text of data.yaml with a part more.
func describeYOLO(path, split string, names []string, overwrite bool) ([]byte, error) {
	keys := map[string]any{}
	b, err := readFile(path, maxYAML)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		byNumber := map[int]string{}
		for i, n := range names {
			byNumber[i] = n
		}
		keys["names"] = byNumber
	case err != nil:
		return nil, fmt.Errorf("convert: %w", err)
	default:
		if err := another(b, split, names, overwrite); err != nil {
			return nil, fmt.Errorf("convert: %s: %w", path, err)
		}
		if err := yaml.Unmarshal(b, &keys); err != nil {
			return nil, fmt.Errorf("convert: %s: %w", path, err)
		}
	}
	keys[split] = "images/" + split
	return yaml.Marshal(keys)
}

// another is the error of a data.yaml that cannot take a part with some classes.
func another(text []byte, split string, names []string, overwrite bool) error {
	y, err := parseYOLO(text)
	if err != nil {
		return err
	}
	have, err := y.names()
	if err != nil {
		return err
	}
	_, taken := y.splits()[split]
	switch {
	case y.Path != "":
		return fmt.Errorf("its images are in %q, not beside it: give another folder", y.Path)
	case taken && !overwrite:
		return fmt.Errorf("the part %q is there already: give it another -name, or -overwrite to replace it", split)
	case !slices.Equal(have, names):
		return fmt.Errorf("it has the classes %q, and the part to write has %q: parts of one dataset need the same in one order", have, names)
	}
	return nil
}
