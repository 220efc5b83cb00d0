package convert

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/internal/dataset/locate"
)

// Names that exporters give to the parts of a dataset, the most frequent first.
var (
	trainNames = []string{"train", "training", "train2017", "trainval"}
	valNames   = []string{"valid", "val", "validation", "val2017", "test"}
)

// Discover completes a Source of which a user named a file or the folder of a whole dataset. It returns the part to train on and the part to
// measure on, whose Path is empty where the files show none. It knows the layouts that exporters write:
//
//	data.yaml, or a folder that holds one             YOLO: its keys train and val, valid or test
//	folder/images/train, folder/train/images          YOLO with labels beside or in folders of their own, and Darknet's obj.data
//	folder/train/*.json, folder/valid/*.json          COCO with a file in each part's folder; VOC and CSV likewise
//	folder/annotations/instances_train2017.json       COCO with all files in one folder, or in the dataset's own
//	folder/Annotations, folder/ImageSets/Main         Pascal VOC with lists of its parts
//	folder/train.csv, folder/val.csv                  CSV
//
// The images of a COCO file are looked for beside the file and in folders of its name. Settings that s has are kept; a Split is the part to
// train on.
func Discover(s Source) (train, val Source, err error) {
	st, err := os.Stat(s.Path)
	if err != nil {
		return s, val, unreachable(s.Path, err)
	}
	if !st.IsDir() {
		return discoverFile(s)
	}
	if file, ok := yamlIn(s.Path); ok {
		s.Path = file
		return discoverFile(s)
	}
	if name, err := s.format(); err == nil && name == "voc" {
		return discoverVOC(s)
	}
	if train, val, ok := discoverParts(s); ok {
		return train, val, nil
	}
	if isYOLO(s.Path) {
		return discoverYOLO(s)
	}
	if s.Split != "" {
		if p, ok := s.parts()[s.Split]; ok {
			return discoverFile(p)
		}
	}
	for _, dir := range annotationFolders(s.Path) {
		for _, ending := range []string{".json", ".csv"} {
			if file, ok := ofTraining(slices.DeleteFunc(files(dir, ending), isClassList)); ok {
				s.Path = file
				return discoverFile(s)
			}
		}
	}
	if dir, ok := onlyFolder(s.Path); ok { // as archives are unpacked
		within := s
		within.Path = dir
		if train, val, err := Discover(within); err == nil {
			return train, val, nil
		}
	}
	if err := s.noPart(); err != nil {
		return s, val, err
	}
	return s, val, fmt.Errorf("convert: %s holds no dataset of a known layout (YOLO's data.yaml, COCO's JSON, Pascal VOC's Annotations, a CSV): give the file that describes it", s.Path)
}

// annotationFolders are the folders in which the files of all parts may lie.
func annotationFolders(dir string) []string {
	return []string{dir, filepath.Join(dir, "annotations"), filepath.Join(dir, "Annotations")}
}

// discoverFile completes a Source whose Path is a file.
func discoverFile(s Source) (train, val Source, err error) {
	name := s.Format
	if name == "" {
		if name, err = s.format(); err != nil {
			return s, val, err
		}
	}
	if name == "yolo" {
		return discoverYOLO(s)
	}
	if name == "coco" && s.Images == "" {
		if s.Images, err = picturesOf(s.Path); err != nil {
			return s, val, err
		}
	}
	s = s.withClasses(name)
	if s.Split != "" {
		return s, val, nil
	}
	if name == "csv" {
		parts, err := csvParts(s.Path)
		if err != nil {
			return s, val, err
		}
		have := slices.Collect(maps.Keys(parts))
		if split, ok := first(trainNames, have); ok {
			s.Split = parts[split]
			if split, ok = first(valNames, have); ok {
				val = s
				val.Split = parts[split]
			}
			return s, val, nil
		}
	}
	// The file of the other part stands beside it and is called likewise.
	base := filepath.Base(s.Path)
	for _, t := range trainNames {
		if !strings.Contains(base, t) {
			continue
		}
		for _, v := range valNames {
			path := filepath.Join(filepath.Dir(s.Path), strings.Replace(base, t, v, 1))
			if _, err := os.Stat(path); err != nil || path == s.Path {
				continue
			}
			val = s
			val.Path = path
			if name == "coco" {
				if val.Images, err = picturesOf(path); err != nil {
					return s, Source{}, err
				}
			}
			return s, val, nil
		}
	}
	return s, val, nil
}

// yamlIn is the data.yaml of a folder: one that is called so, or the only one that names parts of a dataset, which configurations do not.
func yamlIn(dir string) (string, bool) {
	var all []string
	for _, path := range slices.Concat(files(dir, ".yaml"), files(dir, ".yml")) {
		if name := strings.ToLower(stem(path)); name == "data" || name == "dataset" {
			return path, true
		}
		if b, err := readFile(path, maxYAML); err == nil {
			y, err := parseYOLO(b)
			if _, is := first(slices.Concat(trainNames, valNames), slices.Collect(maps.Keys(y.splits()))); err == nil && is {
				all = append(all, path)
			}
		}
	}
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

// discoverYOLO chooses the parts that data.yaml, obj.data or the folders name.
func discoverYOLO(s Source) (train, val Source, err error) {
	y, err := s.yoloSet()
	if err != nil {
		return s, val, err
	}
	if _, whole := y.splits[""]; whole && s.Split == "" {
		return s, val, nil // all images are of one part
	}
	have := slices.Sorted(maps.Keys(y.splits))
	if s.Split == "" {
		s.Split, _ = first(trainNames, have)
	}
	if s.Split == "" {
		return s, val, fmt.Errorf("convert: %s names no training images: it has the keys %v; give one as the split", s.Path, have)
	}
	if split, ok := first(valNames, have); ok && split != s.Split {
		val = s
		val.Split = split
	}
	return s, val, nil
}

// discoverVOC chooses the lists in ImageSets/Main.
func discoverVOC(s Source) (train, val Source, err error) {
	if s.Split != "" {
		return s, val, nil
	}
	lists := s.lists()
	split, ok := first([]string{"train", "training", "trainval"}, lists)
	if !ok {
		return s, val, nil // all files are of one part
	}
	s.Split = split
	if other, ok := first(valNames, lists); ok && (split != "trainval" || other == "test") {
		val = s
		val.Split = other
	}
	return s, val, nil
}

// discoverParts looks for a folder of each part, or of the part that s names.
func discoverParts(s Source) (train, val Source, ok bool) {
	among := func(names []string) (Source, bool) {
		for _, n := range names {
			if p, ok := s.part(n); ok && (p.Path != train.Path || p.Split != train.Split) {
				return p, true
			}
		}
		return Source{}, false
	}
	names := trainNames
	if s.Split != "" {
		names = []string{s.Split}
	}
	if train, ok = among(names); ok {
		val, _ = among(valNames)
	}
	return train, val, ok
}

// part is the dataset in a folder of a part: COCO's JSON or a CSV with its images, or Pascal VOC's XML files.
func (s Source) part(name string) (Source, bool) {
	p := s
	p.Path, p.Split = filepath.Join(s.Path, name), ""
	if file, ok := one(p.Path, ".json"); ok {
		p.Path = file
		images, err := picturesOf(file)
		if p.Images == "" {
			p.Images = images
		}
		return p, err == nil
	}
	if format, err := p.format(); err == nil && format == "voc" {
		return p, true
	}
	all := slices.DeleteFunc(files(p.Path, ".csv"), isClassList)
	if len(all) != 1 {
		return p, false
	}
	p.Path = all[0]
	return p.withClasses("csv"), true
}

// partsIn are the folders of parts that a folder has.
func (s Source) partsIn() (names []string) {
	entries, err := os.ReadDir(s.Path)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if _, ok := s.part(e.Name()); ok && !hidden(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// resolve completes a Source whose path is a folder that holds data.yaml, or a folder of the part that it names.
func (s Source) resolve() (Source, error) {
	if s.Format != "" || !isFolder(s.Path) {
		return s, nil
	}
	if file, ok := yamlIn(s.Path); ok {
		s.Path = file
		return s, nil
	}
	if _, err := s.format(); err == nil {
		return s, nil
	}
	if p, ok := s.part(s.Split); ok && s.Split != "" {
		return p, nil
	}
	return s, s.noPart()
}

// noPart is the error of a folder that has parts, of which s names none; nil where it has none.
func (s Source) noPart() error {
	if have := s.partsIn(); len(have) > 0 {
		return absentPart(s.Path, s.Split, have)
	}
	return nil
}

// absentPart is the error of a dataset that has other parts than the one that is wanted.
func absentPart(path, part string, have []string) error {
	if part == "" {
		return fmt.Errorf("convert: %s: it has the parts %v: give one as the split", path, have)
	}
	return fmt.Errorf("convert: %s: there is no split %q; there are %v", path, part, have)
}

// picturesOf is the folder of the images of a COCO file, which has one of the file's first images: some may be missing.
func picturesOf(path string) (string, error) {
	d, err := coco.LoadWith(path, coco.LoadOptions{LeaveOut: true, Pictures: true})
	if err != nil {
		return "", err
	}
	if len(d.Images) == 0 {
		return "", fmt.Errorf("convert: %s has no images", path)
	}
	some := d.Images[:min(len(d.Images), 20)]
	folder, ok := besideFolder(path, func(folder string) bool {
		pictures := locate.New(folder)
		return slices.ContainsFunc(some, func(im coco.Image) bool { _, ok := pictures.Find(im.FileName); return ok })
	})
	if ok {
		return folder, nil
	}
	return "", fmt.Errorf("convert: %s: its image %q is neither beside it nor in %s: give the folder of its images, -images", path, some[0].FileName, strings.Join(likely(path)[1:4], ", "))
}

// onlyFolder is the folder within another that has no second one; hidden ones and those that macOS adds to archives do not count.
func onlyFolder(dir string) (string, bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && !hidden(e.Name()) && e.Name() != "__MACOSX" {
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

// files lists the files of a folder with some ending, by name.
func files(dir, ending string) (out []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.IsDir() && !hidden(e.Name()) && strings.EqualFold(filepath.Ext(e.Name()), ending) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

// one is the only file of a folder with one of some endings.
func one(dir string, endings ...string) (string, bool) {
	var all []string
	for _, e := range endings {
		all = append(all, files(dir, e)...)
	}
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

// ofTraining is the file of the part to train on: the only one, or the only one with such a name.
func ofTraining(all []string) (string, bool) {
	if len(all) == 1 {
		return all[0], true
	}
	for _, n := range trainNames {
		var some []string
		for _, path := range all {
			if strings.Contains(filepath.Base(path), n) {
				some = append(some, path)
			}
		}
		if len(some) > 1 { // COCO's captions and key points have files of their own
			boxes := slices.DeleteFunc(slices.Clone(some), func(path string) bool { return !strings.HasPrefix(filepath.Base(path), "instances_") })
			if len(boxes) == 1 {
				return boxes[0], true
			}
		}
		if len(some) > 0 {
			return some[0], len(some) == 1
		}
	}
	return "", false
}

// first is the first of some names that is there.
func first(names, have []string) (string, bool) {
	for _, n := range names {
		if slices.Contains(have, n) {
			return n, true
		}
	}
	return "", false
}
