package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"retinago/coco"
	"retinago/internal/media/picture"
)

// readYOLO reads a split, such as "train" or "val", of a dataset that a data.yaml describes. The labels of
// images/a/b.jpg stand in labels/a/b.txt: a line per object with class, centre and size as shares of the picture; a
// picture without a file has no objects. File names are relative to the split's folder.
func readYOLO(s Source) (d *coco.Dataset, images string, err error) {
	path := s.Path
	b, err := readFile(path, maxYAML)
	if err != nil {
		return nil, "", fmt.Errorf("convert: %w", err)
	}
	y, err := parseYOLO(b)
	if err != nil {
		return nil, "", fmt.Errorf("convert: %s: %w", path, err)
	}
	names, err := y.names()
	if err != nil {
		return nil, "", fmt.Errorf("convert: %s: %w", path, err)
	}
	splits := y.splits()
	folder, ok := splits[s.Split]
	if !ok {
		return nil, "", fmt.Errorf("convert: %s: no folder for the split %q; there are %v", path, s.Split, slices.Sorted(maps.Keys(splits)))
	}
	images = y.folder(path, folder)
	build := newBuilder(path)
	for _, n := range names {
		build.category(n)
	}
	var f faults
	err = eachPicture(images, func(p, name string, err error) {
		if err == nil {
			err = build.yolo(p, name, names, &f)
		}
		if err != nil {
			f.add("%w", err)
		}
	})
	if err != nil {
		return nil, "", fmt.Errorf("convert: %s: split %q: %w", path, s.Split, err)
	}
	if len(build.d.Images) == 0 && len(f.errs) == 0 {
		f.add("%s: no pictures in %s", path, images)
	}
	return &build.d, images, f.err()
}

// labels is the label file of a picture: the last folder "images" becomes "labels".
func labels(path string) string {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i := len(parts) - 2; i >= 0; i-- {
		if parts[i] == "images" {
			parts[i] = "labels"
			break
		}
	}
	p := filepath.FromSlash(strings.Join(parts, "/"))
	return strings.TrimSuffix(p, filepath.Ext(p)) + ".txt"
}

// yolo adds a picture and its objects.
func (b *builder) yolo(path, name string, names []string, f *faults) error {
	w, h, err := picture.Size(path)
	if err != nil {
		return err
	}
	image := b.image(name, w, h)
	text, err := readFile(labels(path), maxPicture)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no objects
	}
	if err != nil {
		return err
	}
	line := 0
	for l := range strings.Lines(string(text)) {
		line++
		fields := strings.Fields(l)
		if len(fields) == 0 {
			continue
		}
		where := fmt.Sprintf("%s:%d", labels(path), line)
		if len(fields) != 5 {
			f.add("%s: %d values, want class, x, y, width, height (polygons and poses are not boxes)", where, len(fields))
			continue
		}
		class, err := strconv.Atoi(fields[0])
		if err != nil || class < 0 || class >= len(names) {
			f.add("%s: class %q; there are %d", where, fields[0], len(names))
			continue
		}
		var v [4]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(fields[i+1], 64); err != nil || !finite(v[i]) || v[i] < -1 || v[i] > 2 {
				f.add("%s: %q is no share of the picture", where, fields[i+1])
				break
			}
		}
		if err != nil || !finite(v[:]...) {
			continue
		}
		fw, fh := float64(w), float64(h)
		b.object(image, int64(class+1), [4]float64{(v[0] - v[2]/2) * fw, (v[1] - v[3]/2) * fh, v[2] * fw, v[3] * fh}, false)
	}
	return nil
}

// WriteYOLO writes labels/split/*.txt and data.yaml below dir, for pictures in images/split, which are not copied. Crowd
// regions have no place in the format and are left out; their number is returned.
func WriteYOLO(d *coco.Dataset, dir, split string) (crowds int, err error) {
	list, err := objects(d)
	if err != nil {
		return 0, err
	}
	names, index := named(d)
	files, err := outputs(d, func(n string) string { return strings.TrimSuffix(n, filepath.Ext(n)) + ".txt" })
	if err != nil {
		return 0, err
	}
	out := folder(dir)
	for i, im := range d.Images {
		if im.Width < 1 || im.Height < 1 {
			return 0, fmt.Errorf("convert: image %d (%s) is %dx%d pixels", im.ID, im.FileName, im.Width, im.Height)
		}
		var text strings.Builder
		for _, a := range list[i] {
			if a.IsCrowd {
				crowds++
				continue
			}
			w, h := float64(im.Width), float64(im.Height)
			fmt.Fprintf(&text, "%d %.8g %.8g %.8g %.8g\n", index[a.CategoryID], (a.BBox[0]+a.BBox[2]/2)/w, (a.BBox[1]+a.BBox[3]/2)/h, a.BBox[2]/w, a.BBox[3]/h)
		}
		if err := out.write(filepath.Join("labels", split, filepath.FromSlash(files[i])), []byte(text.String())); err != nil {
			return 0, err
		}
	}
	byNumber := map[int]string{}
	for i, n := range names {
		byNumber[i] = n
	}
	b, err := yaml.Marshal(map[string]any{split: "images/" + split, "names": byNumber})
	if err != nil {
		return 0, err
	}
	return crowds, errors.Join(out.write("data.yaml", b), out.sync())
}
