package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
)

// readYOLO reads a split, such as "train" or "val", of a dataset that a data.yaml, Darknet's obj.data or its folders describe: a folder, a list of
// images in a file, or several of either. The labels of images/a/b.jpg stand in labels/a/b.txt, or beside the image: a line per object with
// class, centre and size as shares of the image, or class and the corners of a polygon, of which the box is taken; an image without a file
// has no objects. File names are relative to the split's folder, or to the first folder that all of its folders lie in.
func readYOLO(s Source) (d *coco.Dataset, images string, err error) {
	y, err := s.yoloSet()
	if err != nil {
		return nil, "", err
	}
	some, ok := y.splits[s.Split]
	if !ok {
		return nil, "", absentPart(s.Path, s.Split, slices.Sorted(maps.Keys(y.splits)))
	}
	var f faults
	pictures, twice, err := y.pictures(s.Split, &f)
	if err != nil {
		return nil, "", err
	}
	images = y.find(some[0])
	if len(some) > 1 || isList(images) {
		images = above(pictures)
	}
	build := newBuilder(s.Path)
	for _, n := range y.names {
		build.category(n)
	}
	if y.note != "" {
		build.note(coco.Assumed, y.note, "write them into classes.txt beside the folders, a name in each line, or into data.yaml")
	}
	if twice > 0 {
		build.note(coco.Repeated, fmt.Sprintf("%d images of the split %q are listed more than once: each counts once", twice, s.Split), "list them once")
	}
	build.size = s.sizes(images, pictures)
	for _, p := range pictures {
		name, err := filepath.Rel(images, p)
		if err == nil {
			err = build.yolo(p, filepath.ToSlash(name), y.names, y.poses, &f)
		}
		if err != nil {
			f.add("%w", err)
		}
	}
	if len(build.d.Images) == 0 && len(f.errs) == 0 {
		f.add("%s: no images in %s", s.Path, strings.Join(some, ", "))
	}
	return &build.d, images, f.leave(&build.d)
}

// yamlOfYOLO reads data.yaml.
func yamlOfYOLO(path string) (set yoloSet, err error) {
	b, err := readFile(path, maxYAML)
	if err != nil {
		return set, fmt.Errorf("convert: %w", err)
	}
	y, err := parseYOLO(b)
	if err != nil {
		return set, fmt.Errorf("convert: %s: %w", path, err)
	}
	set = yoloSet{path: path, splits: y.splits(), poses: y.Poses.Kind != 0, find: func(name string) string { return y.folder(path, name) }}
	if set.names, err = y.names(); err != nil {
		return set, fmt.Errorf("convert: %s: %w", path, err)
	}
	if y.Count.Decode(&set.count) != nil || set.count > mostNumbers {
		set.count = 0
	}
	return set, nil
}

// pictures are the paths of the images of a split, each once; twice is how many are listed again.
func (y *yoloSet) pictures(split string, f *faults) (paths []string, twice int, err error) {
	seen := map[string]bool{}
	for _, name := range y.splits[split] {
		folder := y.find(name)
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return nil, 0, fmt.Errorf("convert: %s: split %q: there is no folder or list %q at %s, nor beside the file: correct %s or \"path\" in it", y.path, split, name, folder, split)
		}
		more, err := yoloPictures(folder, f)
		if err != nil {
			return nil, 0, fmt.Errorf("convert: %s: split %q: %w", y.path, split, err)
		}
		for _, p := range more {
			p = filepath.Clean(p)
			if seen[p] {
				twice++
				continue
			}
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths, twice, nil
}

// isList reports whether a split is a file that lists images.
func isList(path string) bool {
	st, err := os.Stat(path)
	return err == nil && !st.IsDir() && !isPicture(path)
}

// yoloPictures are the paths of the images of a folder, or of the lines of a file, which are relative to it.
func yoloPictures(path string, f *faults) (out []string, err error) {
	if !isList(path) {
		err := eachPicture(path, func(p, _ string, err error) error {
			if err != nil {
				f.add("%w", err)
				return nil
			}
			out = append(out, p)
			return nil
		})
		return out, err
	}
	b, err := readFile(path, maxList)
	if err != nil {
		return nil, err
	}
	beside := locate.New(filepath.Dir(path))
	var absent []string
	for line := range strings.Lines(string(b)) {
		name := strings.TrimSpace(line)
		if name == "" {
			continue
		}
		found, ok := beside.Find(name)
		if ok {
			out = append(out, beside.Path(found))
		} else if other := byEnd(filepath.Dir(path), name); isRegular(other) { // Darknet's lists start from another folder
			out = append(out, other)
		} else {
			absent = append(absent, name)
		}
	}
	if len(out) == 0 && len(absent) > 1 {
		return nil, fmt.Errorf("none of the %d images that %s lists is beside it%s, such as %q: correct the list, or put it beside their folder", len(absent), path, file.From(path), absent[0])
	}
	for _, name := range absent {
		f.add("%s: no image %q beside it", path, name)
	}
	return out, nil
}

// above is the lowest folder that all files lie in, "." for none.
func above(paths []string) string {
	if len(paths) == 0 {
		return "."
	}
	dir := filepath.Dir(paths[0])
	for _, p := range paths {
		for dir != filepath.Dir(dir) && !strings.HasPrefix(p, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator)) {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// labels is the label file of an image: the last folder "images" becomes "labels". Where no such file is, it may be beside the image, or in
// a folder labels there.
func labels(path string) string {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + ".txt"
	other := parallel(path)
	if _, err := os.Stat(other); err != nil {
		below := filepath.Join(filepath.Dir(path), "labels", filepath.Base(beside))
		for _, file := range []string{beside, below} {
			if isRegular(file) {
				return file
			}
		}
	}
	return other
}

func isRegular(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func parallel(path string) string {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i := len(parts) - 2; i >= 0; i-- {
		if to, ok := map[string]string{"images": "labels", "Images": "Labels", "IMAGES": "LABELS"}[parts[i]]; ok {
			parts[i] = to
			break
		}
	}
	p := filepath.FromSlash(strings.Join(parts, "/"))
	return strings.TrimSuffix(p, filepath.Ext(p)) + ".txt"
}

// yolo adds an image and its objects.
func (b *builder) yolo(path, name string, names []string, poses bool, f *faults) error {
	w, h, err := b.size(path)
	if err != nil {
		return err
	}
	image := b.image(name, w, h)
	list := labels(path)
	text, err := readFile(list, maxPicture)
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
		where := fmt.Sprintf("%s:%d", list, line)
		class, ok := classNumber(fields[0])
		if !ok || class >= len(names) {
			f.add("%s: class %q; there are %d", where, fields[0], len(names))
			continue
		}
		box, err := yoloBox(fields[1:], poses)
		if err != nil {
			f.add("%s: %w", where, err)
			continue
		}
		fw, fh := float64(w), float64(h)
		box = [4]float64{box[0] * fw, box[1] * fh, box[2] * fw, box[3] * fh}
		if len(fields) > 5 {
			for i := range box {
				box[i] = micro(box[i])
			}
		}
		b.object(image, int64(class)+1, box, false)
	}
	return nil
}

// yoloBox is the box x, y, width, height of a line's values behind the class, in shares of the image: centre and size, which key points may follow,
// or the corners of a polygon or of a turned box.
func yoloBox(fields []string, poses bool) (box [4]float64, err error) {
	if len(fields) == 5 || len(fields) < 4 || len(fields) > 4 && !poses && len(fields)%2 != 0 {
		return box, fmt.Errorf("%d values, want class, x, y, width, height, or class and three or more corners x, y", len(fields)+1)
	}
	if poses {
		fields = fields[:4]
	}
	v := make([]float64, len(fields))
	for i, field := range fields {
		if v[i], err = strconv.ParseFloat(field, 64); err != nil || !finite(v[i]) || v[i] < -1 || v[i] > 2 {
			return box, fmt.Errorf("%q is no share of the image", field)
		}
	}
	if len(v) == 4 {
		return [4]float64{v[0] - v[2]/2, v[1] - v[3]/2, v[2], v[3]}, nil
	}
	box = [4]float64{v[0], v[1], v[0], v[1]}
	for i := 0; i < len(v); i += 2 {
		box[0], box[1], box[2], box[3] = min(box[0], v[i]), min(box[1], v[i+1]), max(box[2], v[i]), max(box[3], v[i+1])
	}
	return [4]float64{box[0], box[1], box[2] - box[0], box[3] - box[1]}, nil
}
