package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"retinago/coco"
	"retinago/internal/text"
)

// Selection says which classes of a dataset are read and under which names. The zero value reads all of them as they are.
//
// Images stay, also those that lose all their objects: they are background then, and detections on them are wrong. Objects of other classes
// are left out, as if they had never been drawn. A class keeps its id. Classes that get one name become one class; it has the id of the class
// that had this name before, else that of the first of them.
type Selection struct {
	Rename []string // OLD=NEW each
	Keep   []string // names of the classes that are read, after renaming; empty is all
	// Absent allows names that the dataset does not have. The validation set of a run may lack classes, and a run compares the classes.
	Absent bool
}

// IsZero reports whether all classes are read as they are.
func (s Selection) IsZero() bool { return len(s.Rename)+len(s.Keep) == 0 }

// Of returns a dataset with the selected classes of d, which stays as it is. An error names the class that d does not have.
func (s Selection) Of(d *coco.Dataset) (*coco.Dataset, error) {
	out := *d
	out.Categories, out.Annotations = slices.Clone(d.Categories), slices.Clone(d.Annotations)
	return &out, s.apply(&out)
}

// apply changes a dataset that was just read.
func (s Selection) apply(d *coco.Dataset) error {
	if s.IsZero() {
		return nil
	}
	to, err := s.names(d)
	if err != nil {
		return err
	}
	rename(d, to)
	return s.keep(d)
}

// names returns the new names by the old ones.
func (s Selection) names(d *coco.Dataset) (map[string]string, error) {
	have, there := categoryNames(d)
	to := map[string]string{}
	for _, r := range s.Rename {
		from, name, err := ParseRename(r)
		if err != nil {
			return nil, fmt.Errorf("convert: %w", err)
		}
		if other, twice := to[from]; twice && other != name {
			return nil, fmt.Errorf("convert: the class %q is renamed to %q and to %q: give one name", from, other, name)
		}
		if !there[from] && !s.Absent {
			return nil, fmt.Errorf("convert: %s: %q cannot be renamed: %w", d.Path, r, text.Unknown("no class", from, have))
		}
		to[from] = name
	}
	return to, nil
}

// ParseRename reads OLD=NEW, the old and the new name of a class, at its first equals sign.
func ParseRename(s string) (from, to string, err error) {
	from, to, ok := strings.Cut(s, "=")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !ok || from == "" || to == "" {
		return "", "", fmt.Errorf("the renaming %q: give OLD=NEW, such as car=vehicle", s)
	}
	return from, to, nil
}

// rename gives categories their new names, by the old ones. Categories of one new name become one.
func rename(d *coco.Dataset, to map[string]string) {
	id := map[string]int64{} // by name, of the category that takes the objects of others
	for _, c := range d.Categories {
		if _, renamed := to[c.Name]; !renamed {
			id[c.Name] = c.ID
		}
	}
	into := map[int64]int64{}
	var categories []coco.Category
	for _, c := range d.Categories {
		if name, renamed := to[c.Name]; renamed {
			if taken, ok := id[name]; ok {
				into[c.ID] = taken
				continue
			}
			id[name], c.Name = c.ID, name
		}
		categories = append(categories, c)
	}
	d.Categories = categories
	for i := range d.Annotations {
		if taken, ok := into[d.Annotations[i].CategoryID]; ok {
			d.Annotations[i].CategoryID = taken
		}
	}
}

// keep leaves out the other categories with their objects. Objects of no category stay: they are a fault that is reported.
func (s Selection) keep(d *coco.Dataset) error {
	if len(s.Keep) == 0 {
		return nil
	}
	have, there := categoryNames(d)
	kept := map[string]bool{}
	for _, name := range s.Keep {
		kept[name] = true
		if there[name] || s.Absent {
			continue
		}
		for _, r := range s.Rename {
			if from, to, _ := ParseRename(r); from == name {
				return fmt.Errorf("convert: %s: the class %q is called %q after renaming: choose this name", d.Path, name, to)
			}
		}
		return fmt.Errorf("convert: %s: %w", d.Path, text.Unknown("no class", name, have))
	}
	out := map[int64]bool{}
	d.Categories = slices.DeleteFunc(d.Categories, func(c coco.Category) bool {
		out[c.ID] = !kept[c.Name]
		return out[c.ID]
	})
	d.Annotations = slices.DeleteFunc(d.Annotations, func(a coco.Annotation) bool { return out[a.CategoryID] })
	return nil
}

// categoryNames returns the names of a dataset's categories, each once, in their order and as a set.
func categoryNames(d *coco.Dataset) (names []string, there map[string]bool) {
	there = map[string]bool{}
	for _, c := range d.Categories {
		if !there[c.Name] {
			names = append(names, c.Name)
		}
		there[c.Name] = true
	}
	return names, there
}

// Renumbered returns a dataset whose categories have the given ids, by their names. It returns d itself where the names of d are others, or
// have the ids already.
func Renumbered(d *coco.Dataset, names []string, ids []int64) *coco.Dataset {
	if len(names) != len(ids) || len(d.Categories) != len(names) {
		return d
	}
	id := make(map[string]int64, len(names))
	for i, n := range names {
		id[n] = ids[i]
	}
	now, same := map[int64]int64{}, true
	for _, c := range d.Categories {
		to, ok := id[c.Name]
		if !ok {
			return d
		}
		now[c.ID] = to
		same = same && c.ID == to
	}
	if same || len(now) != len(names) {
		return d
	}
	out := *d
	out.Categories, out.Annotations = slices.Clone(d.Categories), slices.Clone(d.Annotations)
	for i := range out.Categories {
		out.Categories[i].ID = now[out.Categories[i].ID]
	}
	slices.SortFunc(out.Categories, func(a, b coco.Category) int { return cmp.Compare(a.ID, b.ID) })
	for i := range out.Annotations {
		if id, ok := now[out.Annotations[i].CategoryID]; ok {
			out.Annotations[i].CategoryID = id
		}
	}
	return &out
}
