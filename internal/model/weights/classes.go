package weights

import "slices"

// classes are the names of a detector's classes that a file has beside its tensors.
type classes struct {
	names []string
	ids   []int64 // of the categories, nil where the file has none
}

// Where programs keep the names of classes: mmdetection in meta and dataset_meta, others in the outer dictionary or beside their settings.
var (
	classKeys  = []string{"CLASSES", "classes", "class_names", "thing_classes", "names", "categories", "id2label", "class_to_idx", "label2id"}
	classRooms = []string{"meta", "dataset_meta", "metadata", "hyper_parameters"}
)

// maxClasses bounds the names that are taken.
const maxClasses = 1 << 16

// classesOf looks for the names of classes beside the tensors of a file.
func classesOf(d *dict) classes {
	rooms := []*dict{d}
	for i := 0; i < len(rooms) && i < 8; i++ {
		for _, key := range classRooms {
			if room, ok := rooms[i].get(key).(*dict); ok && !slices.Contains(rooms, room) {
				rooms = append(rooms, room)
			}
		}
	}
	for _, room := range rooms {
		for _, key := range classKeys {
			if c, ok := classesIn(room.get(key)); ok {
				return c
			}
		}
	}
	return classes{}
}

// classesIn reads a sequence of names or of categories, or a dictionary of indices and names, either of which may be the key.
func classesIn(v any) (c classes, ok bool) {
	switch v := v.(type) {
	case tuple:
		return classesIn(&list{v})
	case *list:
		for _, it := range v.items {
			name, _ := it.(string)
			if d, ok := it.(*dict); ok {
				name, _ = d.get("name").(string)
				if id, ok := d.get("id").(int64); ok {
					c.ids = append(c.ids, id)
				}
			}
			if !c.add(name) {
				return classes{}, false
			}
		}
		if len(c.ids) != len(c.names) {
			c.ids = nil
		}
	case *dict:
		byIndex := map[int64]string{}
		for _, it := range v.items {
			index, ok := it.key.(int64)
			name, ok2 := it.value.(string)
			if !ok || !ok2 {
				name, ok = it.key.(string)
				index, ok2 = it.value.(int64)
			}
			if _, twice := byIndex[index]; !ok || !ok2 || twice || len(byIndex) > maxClasses {
				return classes{}, false
			}
			byIndex[index] = name
		}
		for i := range int64(len(byIndex)) {
			name, ok := byIndex[i]
			if !ok || !c.add(name) { // indices of logits begin with 0 and have no gaps
				return classes{}, false
			}
		}
	}
	return c, len(c.names) > 0
}

// add appends a name, and reports whether it can be one.
func (c *classes) add(name string) bool {
	if name == "" || len(name) > maxName || len(c.names) == maxClasses {
		return false
	}
	c.names = append(c.names, name)
	return true
}

// Classes are none: a safetensors file of another project names no classes.
func (f *File) Classes() (names []string, ids []int64) { return nil, nil }
