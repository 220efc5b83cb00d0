package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"retinago/internal/text"
)

// tag returns the YAML key of a struct field.
func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// fields returns the settings and groups of a struct, in order. An inlined struct is replaced by its fields.
func fields(t reflect.Type) []reflect.StructField {
	if known, ok := fieldsOf.Load(t); ok {
		return known.([]reflect.StructField)
	}
	var out []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		if _, option, _ := strings.Cut(f.Tag.Get("yaml"), ","); option != "inline" {
			out = append(out, f)
			continue
		}
		for _, in := range fields(f.Type) {
			in.Index = append(slices.Clone(f.Index), in.Index...)
			out = append(out, in)
		}
	}
	fieldsOf.Store(t, out)
	return out
}

// fieldsOf caches the results of fields by type: a hostile file with many keys asks for them at each key.
var fieldsOf sync.Map

// find returns the field of a struct by its key.
func find(v reflect.Value, key string) (reflect.Value, bool) {
	for _, f := range fields(v.Type()) {
		if tag(f) == key {
			return v.FieldByIndex(f.Index), true
		}
	}
	return reflect.Value{}, false
}

// keys returns the keys of a struct, in order.
func keys(t reflect.Type) []string {
	var out []string
	for _, f := range fields(t) {
		out = append(out, tag(f))
	}
	return out
}

// Keys returns the full keys of all settings, such as train.lr, in the order of the tree.
func Keys() []string { return paths(reflect.TypeFor[Config](), "") }

// paths returns the full keys of all settings below t.
func paths(t reflect.Type, prefix string) []string {
	var out []string
	for _, f := range fields(t) {
		full := join(prefix, tag(f))
		if f.Type.Kind() == reflect.Struct {
			out = append(out, paths(f.Type, full)...)
		} else {
			out = append(out, full)
		}
	}
	return out
}

// unknown returns the message that the group t at path has no such key. The message suggests a key of the group with a similar spelling,
// else a key of that name in another group, else it lists the keys of the group.
func unknown(t reflect.Type, path, key string) string {
	full := short(join(path, key))
	if len(key) > 64 {
		return "unknown key " + full
	}
	if best, ok := text.Nearest(key, keys(t)); ok {
		return fmt.Sprintf("unknown key %s; did you mean %s?", full, join(path, best))
	}
	for _, p := range paths(reflect.TypeFor[Config](), "") {
		if p == key || strings.HasSuffix(p, "."+key) {
			return fmt.Sprintf("unknown key %s; did you mean %s?", full, p)
		}
	}
	where := "the top level"
	if path != "" {
		where = path
	}
	return fmt.Sprintf("unknown key %s; %s has %s", full, where, strings.Join(keys(t), ", "))
}
