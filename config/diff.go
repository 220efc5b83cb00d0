package config

import (
	"fmt"
	"reflect"
)

// Change is a key that two configurations have with different values.
type Change struct{ Key, Before, After string }

// Changes lists the keys whose values differ, in the order of the tree.
func (c Config) Changes(after Config) []Change {
	return changes(nil, reflect.ValueOf(c), reflect.ValueOf(after), "")
}

func changes(all []Change, a, b reflect.Value, path string) []Change {
	for _, f := range fields(a.Type()) {
		full := join(path, tag(f))
		x, y := a.FieldByIndex(f.Index), b.FieldByIndex(f.Index)
		if x.Kind() == reflect.Struct {
			all = changes(all, x, y, full)
		} else if !equal(x, y) {
			all = append(all, Change{full, shown(x), shown(y)})
		}
	}
	return all
}

// equal reports whether two values are the same. An empty list equals no list: both are written as [].
func equal(a, b reflect.Value) bool {
	return a.Kind() == reflect.Slice && a.Len()+b.Len() == 0 || reflect.DeepEqual(a.Interface(), b.Interface())
}

func shown(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}
