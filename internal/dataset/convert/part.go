package convert

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// testNames are names of the part that is kept for a last measurement.
var testNames = []string{"test", "testing", "test2017"}

// parts lists the parts of the dataset at s.Path by their names, as exporters call them: the keys of data.yaml, the lists of Pascal VOC, the
// folders of parts, COCO's files and CSVs of one folder. It is empty where the files show one part alone.
func (s Source) parts() map[string]Source {
	s.Split = ""
	if !isFolder(s.Path) {
		return s.fileParts()
	}
	if file, ok := yamlIn(s.Path); ok {
		s.Path = file
		return s.fileParts()
	}
	if name, err := s.format(); err == nil && name == "voc" {
		return s.splits(s.lists())
	}
	parts := map[string]Source{}
	for _, name := range slices.Concat(trainNames, valNames, testNames) {
		if p, ok := s.part(name); ok {
			parts[name] = p
		}
	}
	if len(parts) > 0 {
		return parts
	}
	if isYOLO(s.Path) {
		return s.splits(slices.Collect(maps.Keys(foldersOfYOLO(s.Path).splits)))
	}
	for _, dir := range annotationFolders(s.Path) {
		if parts := s.filesIn(dir); len(parts) > 0 {
			return parts
		}
	}
	if dir, ok := onlyFolder(s.Path); ok {
		s.Path = dir
		return s.parts()
	}
	return nil
}

// fileParts are the parts that a file describes, or that have files beside it or in folders beside its own.
func (s Source) fileParts() map[string]Source {
	name, err := s.format()
	if err != nil {
		return nil
	}
	switch name {
	case "yolo":
		y, err := s.yoloSet()
		if err != nil {
			return nil
		}
		return s.splits(slices.Collect(maps.Keys(y.splits)))
	case "csv":
		if values, err := csvParts(s.Path); err == nil && len(values) > 0 {
			return s.withClasses(name).splits(slices.Collect(maps.Values(values)))
		}
	case "openimages":
		return nil // its parts are lists of ids
	}
	dir := filepath.Dir(s.Path)
	if len(partsOf(filepath.Base(dir))) > 0 {
		s.Path = filepath.Dir(dir)
		s.Images = ""
		return s.parts()
	}
	return s.filesIn(dir)
}

// splits are the parts of one path, by the names of parts that exporters give.
func (s Source) splits(have []string) map[string]Source {
	parts := map[string]Source{}
	for _, name := range have {
		if len(partsOf(name)) == 0 || partsOf(name)[0] != strings.ToLower(name) {
			continue
		}
		p := s
		p.Split = name
		parts[name] = p
	}
	return parts
}

// filesIn are COCO's files, or else the CSVs, of a folder by the part that their names have in them. Where several have one part, it is the
// COCO file of boxes, which begins with instances.
func (s Source) filesIn(dir string) map[string]Source {
	for _, ending := range []string{".json", ".csv"} {
		of := map[string][]string{}
		for _, path := range slices.DeleteFunc(files(dir, ending), isClassList) {
			if names := partsOf(stem(path)); len(names) > 0 {
				of[names[0]] = append(of[names[0]], path)
			}
		}
		parts := map[string]Source{}
		for name, paths := range of {
			if len(paths) > 1 {
				paths = slices.DeleteFunc(paths, func(path string) bool { return !strings.HasPrefix(stem(path), "instances_") })
			}
			if len(paths) == 1 {
				p := s
				p.Path = paths[0]
				if ending == ".csv" {
					p = p.withClasses("csv")
				}
				parts[name] = p
			}
		}
		if len(parts) > 0 {
			return parts
		}
	}
	return nil
}

// Use is what the part of a dataset is read for.
type Use int

// Described is any part: where there are several, Source.Split must name one. Training prefers the part to train on, Measuring the validation part.
const (
	Described Use = iota
	Training
	Measuring
)

// One completes a Source that a verb reads as one dataset: of a folder with several parts it is the one that s.Split names, or without a name
// that of the use. of lists the parts where One chose among several. What opens as it is stays as it is: a folder of Pascal VOC and a CSV are
// read with all of their parts.
func (s Source) One(use Use) (one Source, of []string, err error) {
	if s.Format != "" || s.Path == "" {
		return s, nil, nil
	}
	name, err := s.format()
	_, described := yamlIn(s.Path)
	other := isFolder(s.Path) && !described && err != nil // a folder that has no format by itself
	if !other && (s.Split != "" || name != "yolo" && !described) {
		return s, nil, nil
	}
	parts := s.parts()
	have := slices.Sorted(maps.Keys(parts))
	if s.Split != "" {
		p, ok := parts[s.Split]
		if _, folder := s.part(s.Split); ok || folder || len(parts) == 0 {
			if ok {
				return p, nil, nil
			}
			return s, nil, nil // Open finds it, or reports what is wrong
		}
		return s, nil, absentPart(s.Path, s.Split, have)
	}
	order := slices.Concat(trainNames, valNames, testNames)
	switch {
	case use == Described && len(have) > 1:
		return s, nil, absentPart(s.Path, "", have)
	case use == Measuring:
		order = slices.Concat(valNames, testNames, trainNames)
	}
	if chosen, ok := first(order, have); ok {
		if len(have) == 1 {
			have = nil
		}
		return parts[chosen], have, nil
	}
	if !other { // one part for all, or a file whose fault Open reports
		return s, nil, nil
	}
	one, _, err = Discover(s)
	return one, nil, err
}

// WithImages finds the folder of the images of a COCO file where none is given. Other formats know theirs.
func (s Source) WithImages() (Source, error) {
	if s.Images != "" || s.Path == "" {
		return s, nil
	}
	name, err := s.Format, error(nil)
	if name == "" {
		name, err = s.format()
	}
	if err != nil || name != "coco" {
		return s, nil // Open reports the error
	}
	s.Images, err = picturesOf(s.Path)
	return s, err
}

// Part returns the named part of the dataset that s is a part of.
func (s Source) Part(name string) (Source, error) {
	parts := s.parts()
	p, ok := parts[name]
	switch {
	case !ok && len(parts) == 0:
		return s, fmt.Errorf("convert: %s: no files of other parts are beside it: give the dataset to read with -data", s.Path)
	case !ok:
		return s, absentPart(s.Path, name, slices.Sorted(maps.Keys(parts)))
	case p.Path == s.Path:
		return p, nil
	}
	p.Images = "" // it is that of another part
	return p.WithImages()
}

// Unread are the parts of the dataset at s.Path that are none of some sources, by name. A list of training and validation together is left out.
func (s Source) Unread(read []Source) (names []string) {
	for name, p := range s.parts() {
		if name != "trainval" && !slices.ContainsFunc(read, func(r Source) bool { return r.Path == p.Path && (r.Split == p.Split || r.Split == "") }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
