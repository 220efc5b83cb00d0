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
)

// yoloSet is what a YOLO dataset says of itself: in data.yaml, in Darknet's obj.data, or by its folders alone.
type yoloSet struct {
	path   string
	splits map[string][]string      // folders and lists of each part, as they are written; "" is the part of a folder without parts
	find   func(name string) string // where a folder or list lies
	names  []string                 // of the classes
	count  int                      // of the classes, where only that is known
	poses  bool                     // key points follow the boxes
	note   string                   // what was assumed; "" for nothing
}

// yoloSet reads the description of the dataset.
func (s Source) yoloSet() (y yoloSet, err error) {
	switch {
	case isFolder(s.Path):
		y = foldersOfYOLO(s.Path)
		if len(y.splits) == 0 {
			return y, fmt.Errorf("convert: %s: no images with YOLO's labels: they are looked for in images and labels, in folders of the parts with these, and beside the images", s.Path)
		}
	case strings.EqualFold(filepath.Ext(s.Path), ".data"):
		if y, err = darknet(s.Path); err != nil {
			return y, fmt.Errorf("convert: %w", err)
		}
	default:
		if y, err = yamlOfYOLO(s.Path); err != nil {
			return y, err
		}
	}
	if len(y.names) == 0 {
		err = y.findNames()
	}
	return y, err
}

// isYOLO reports whether a folder is a YOLO dataset without a data.yaml.
func isYOLO(dir string) bool { return len(foldersOfYOLO(dir).splits) > 0 }

// foldersOfYOLO finds the parts of a dataset by their folders: Darknet's obj.data, images/train with labels/train, train/images with train/labels,
// labels beside the images. Without any it has no parts.
func foldersOfYOLO(dir string) yoloSet {
	if file, ok := one(dir, ".data"); ok {
		if y, err := darknet(file); err == nil {
			return y
		}
	}
	y := yoloSet{path: dir, splits: map[string][]string{}, find: func(name string) string { return filepath.Join(dir, name) }}
	for _, part := range slices.Concat(trainNames, valNames) {
		for _, pictures := range []string{filepath.Join("images", part), filepath.Join("Images", part), filepath.Join(part, "images"), part} {
			if labelled(filepath.Join(dir, pictures), true) {
				y.splits[part] = []string{pictures}
				break
			}
		}
	}
	if len(y.splits) > 0 {
		return y
	}
	for _, pictures := range []string{"images", "Images", ".", "data"} {
		if labelled(filepath.Join(dir, pictures), pictures != ".") {
			y.splits[""] = []string{pictures}
			break
		}
	}
	return y
}

// mostLabelled is how many images are looked at for a file of labels.
const mostLabelled = 1000

// labelled reports whether an image of a folder, or with deep of the folders in it, has a file of YOLO's labels.
func labelled(dir string, deep bool) bool {
	found, looked := false, 0
	err := eachPicture(dir, func(path, name string, _ error) error {
		if !deep && strings.Contains(name, "/") {
			return nil
		}
		if looked++; looked > mostLabelled {
			return fs.SkipAll
		}
		text, err := readFile(labels(path), maxPicture)
		if err != nil {
			return nil
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 0 {
				_, isClass := classNumber(fields[0])
				_, err := yoloBox(fields[1:], false)
				found = isClass && err == nil
				return fs.SkipAll
			}
		}
		return nil
	})
	return err == nil && found
}

// darknet reads Darknet's description: lines as "train = data/train.txt". Its paths are relative to a folder that is not known; they are looked for
// from its own by their ends.
func darknet(path string) (y yoloSet, err error) {
	b, err := readFile(path, maxYAML)
	if err != nil {
		return y, err
	}
	dir := filepath.Dir(path)
	y = yoloSet{path: path, splits: map[string][]string{}, find: func(name string) string { return byEnd(dir, name) }}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok || value == "":
		case key == "names":
			y.names, err = listOfNames(y.find(value))
			if errors.Is(err, fs.ErrNotExist) {
				err = nil // they are looked for beside the images
			}
			if err != nil {
				return y, err
			}
		case key != "classes" && key != "backup" && key != "eval":
			y.splits[key] = []string{value}
		}
	}
	if len(y.splits) == 0 {
		return y, fmt.Errorf("%s: no line \"train = FILE\" with a list of images", path)
	}
	return y, nil
}

// byEnd is the path below a folder of the longest end of a name that is there, or of the whole name.
func byEnd(dir, name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	for end, more := name, true; more; _, end, more = strings.Cut(end, "/") {
		path := filepath.Join(dir, filepath.FromSlash(end))
		if _, err := os.Stat(path); err == nil && end != "" {
			return path
		}
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// listsOfNames are files that list the classes, a line for each.
var listsOfNames = []string{"classes.txt", "obj.names", "_darknet.labels", "classes.names", "class_names.txt", "names.txt", "labels.txt"}

// findNames looks for a list of the classes in the dataset's folder and in those of its parts. Where there is none, classes are called by
// their numbers.
func (y *yoloSet) findNames() error {
	root := y.path
	if !isFolder(root) {
		root = filepath.Dir(root)
	}
	dirs := []string{root, filepath.Join(root, "labels"), filepath.Join(root, "data")}
	for _, part := range slices.Sorted(maps.Keys(y.splits)) {
		for _, folder := range y.splits[part] {
			dir := y.find(folder)
			dirs = append(dirs, dir, filepath.Dir(dir), filepath.Dir(parallel(filepath.Join(dir, "a.jpg"))))
		}
	}
	for _, dir := range dirs {
		for _, name := range listsOfNames {
			list, err := listOfNames(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			y.names = list
			return err
		}
	}
	if y.count > 0 {
		y.number(y.count)
		return nil
	}
	most, err := y.highest()
	if err == nil {
		y.number(most + 1)
	}
	return err
}

// number calls n classes by their numbers.
func (y *yoloSet) number(n int) {
	for i := range n {
		y.names = append(y.names, fmt.Sprintf("class %d", i))
	}
	y.note = fmt.Sprintf("no file lists the classes: they are called class 0 to class %d", n-1)
}

// listOfNames reads a name from each line.
func listOfNames(path string) (names []string, err error) {
	b, err := readFile(path, maxYAML)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		if name := strings.TrimSpace(line); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("convert: %s names no class", path)
	}
	if err := distinct(names); err != nil {
		return nil, fmt.Errorf("convert: %s: %w", path, err)
	}
	return names, nil
}

// mostNumbers bounds the classes that are called by numbers.
const mostNumbers = 10_000

// highest is the highest class in the labels of all parts.
func (y *yoloSet) highest() (int, error) {
	most := -1
	for _, folders := range y.splits {
		for _, folder := range folders {
			pictures, err := yoloPictures(y.find(folder), &faults{})
			if errors.Is(err, fs.ErrNotExist) {
				continue // it is named when it is read
			}
			if err != nil {
				return 0, fmt.Errorf("convert: %s: %w", y.path, err)
			}
			for _, p := range pictures {
				text, err := readFile(labels(p), maxPicture)
				if err != nil {
					continue // it is named when it is read for its boxes
				}
				for line := range strings.Lines(string(text)) {
					if fields := strings.Fields(line); len(fields) > 0 {
						if class, ok := classNumber(fields[0]); ok && class < mostNumbers {
							most = max(most, class)
						}
					}
				}
			}
		}
	}
	if most < 0 {
		return 0, fmt.Errorf("convert: %s: no file lists the classes, and no label has a number of one: give classes.txt, a name in each line", y.path)
	}
	return most, nil
}

// classNumber is the number of a class; some programs write 3.0.
func classNumber(field string) (int, bool) {
	v, err := strconv.ParseFloat(field, 64)
	if err != nil || !(v >= 0 && v <= 1e9) || v != float64(int(v)) {
		return 0, false
	}
	return int(v), true
}
