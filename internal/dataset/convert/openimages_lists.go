package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/text"
)

// descriptions reads "LabelName,DisplayName" lines, with or without that header. Categories take their order.
func (o *openImages) descriptions() error {
	o.labels = map[string]string{}
	var f faults
	err := eachRecord(o.s.Classes, func(line int, r []string) {
		if line == 1 && r[0] == "LabelName" {
			return
		}
		if len(r) < 2 || r[0] == "" || r[1] == "" {
			f.add("%s:%d: %q, want LabelName,DisplayName", o.s.Classes, line, r)
			return
		}
		_, label := o.labels[r[0]]
		name := text.FromCell(r[1])
		if _, twice := o.b.names[name]; label || twice {
			f.add("%s:%d: %s or %q stands in a line before: give every class one label and one name", o.s.Classes, line, r[0], name)
			return
		}
		o.labels[r[0]] = name
		o.b.category(name)
	})
	if err == nil && len(o.labels) == 0 && len(f.errs) == 0 {
		f.add("%s names no class", o.s.Classes)
	}
	return errors.Join(err, f.err())
}

// pictures makes the images, in the order of the split, or else of the paths.
func (o *openImages) pictures() error {
	files := map[string]string{} // ImageID -> file name
	var order []string
	err := eachPicture(o.s.Images, func(_, name string, err error) error {
		if err != nil {
			o.f.add("%w", err)
			return nil
		}
		id := stem(name)
		if other, twice := files[id]; twice {
			o.f.add("%s: %s and %s are both called %s", o.s.Images, other, name, id)
			return nil
		}
		files[id] = name
		order = append(order, id)
		return nil
	})
	if err != nil {
		return fmt.Errorf("convert: %s: %w", o.s.Path, err)
	}
	if o.s.Split != "" {
		if order, err = o.split(files); err != nil {
			return err
		}
	}
	o.images = make(map[string]int64, len(order))
	paths := make([]string, len(order))
	for i, id := range order {
		paths[i] = filepath.Join(o.s.Images, files[id])
	}
	size := o.s.sizes(o.s.Images, paths)
	for i, id := range order {
		w, h, err := size(paths[i])
		if err != nil {
			o.f.add("%s: %w", o.s.Path, err)
			continue
		}
		o.images[id] = o.b.image(files[id], w, h)
	}
	if len(o.images) == 0 {
		o.f.add("%s: no images in %s", o.s.Path, o.s.Images)
		return o.f.err()
	}
	return nil
}

// imagesOf is the first of the likely folders that has an image, those beside the CSV before its own and the others; "" for none.
func imagesOf(path string) string {
	var beside, others []string
	dir := filepath.Dir(path)
	for _, folder := range likely(path)[1:] {
		if strings.HasPrefix(folder, dir) {
			beside = append(beside, folder)
		} else if folder != filepath.Dir(dir) {
			others = append(others, folder)
		}
	}
	for _, folder := range slices.Concat(beside, []string{dir}, others) {
		found := false
		err := eachPicture(folder, func(_, _ string, _ error) error { found = true; return fs.SkipAll })
		if err == nil && found {
			return folder
		}
	}
	return ""
}

// split lists the ids of a file beside the boxes: a CSV with a column ImageID, or an id or "train/id" per line.
func (o *openImages) split(files map[string]string) (ids []string, err error) {
	list := o.s.Split
	if !filepath.IsAbs(list) {
		list = filepath.Join(filepath.Dir(o.s.Path), list)
	}
	column, seen := 0, map[string]bool{}
	err = eachRecord(list, func(line int, r []string) {
		if i := slices.Index(r, "ImageID"); line == 1 && i >= 0 {
			column = i
			return
		}
		if column >= len(r) {
			o.f.add("%s:%d: %d columns, and ImageID is column %d", list, line, len(r), column+1)
			return
		}
		id := path.Base(text.FromCell(r[column]))
		if _, ok := files[id]; !ok || seen[id] {
			o.f.add("%s:%d: %s stands there twice, or %s has no image of that name", list, line, id, o.s.Images)
			return
		}
		seen[id] = true
		ids = append(ids, strings.Clone(id))
	})
	return ids, err
}

// stem is a file's name without folder and ending.
func stem(name string) string {
	name = path.Base(filepath.ToSlash(name))
	return strings.TrimSuffix(name, path.Ext(name))
}
