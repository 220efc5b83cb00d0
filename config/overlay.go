package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"retinago/loss"
)

// overlay writes YAML nodes to a struct tree. Every error names the source, the line and the key. Reading goes on after an error, so that
// all errors of a file are reported at once.
type overlay struct {
	source string // file name, or the text of an override
	lines  bool   // errors name the lines of nodes
	errs   []error
}

func (o *overlay) fail(n *yaml.Node, format string, a ...any) {
	at := o.source
	if o.lines {
		at += ":" + strconv.Itoa(n.Line)
	}
	if o.full() {
		o.errs = append(o.errs, errOmitted)
		return
	}
	o.errs = append(o.errs, fmt.Errorf("%s: "+format, append([]any{at}, a...)...))
}

// errOmitted stands for an error beyond maxErrors.
var errOmitted = errors.New("config: one of more errors")

func (o *overlay) full() bool { return len(o.errs) >= maxErrors }

// set writes n to dst, whose key is path ("" for the root).
func (o *overlay) set(dst reflect.Value, n *yaml.Node, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r, ok := dst.Addr().Interface().(reader); ok {
		r.read(o, n, path)
		return
	}
	if dst.Type() == classWeights && n.Kind == yaml.SequenceNode {
		o.numbers(dst, n, path)
		return
	}
	switch dst.Kind() {
	case reflect.Struct:
		o.mapping(dst, n, path)
	case reflect.Slice, reflect.Array:
		o.list(dst, n, path)
	default:
		o.scalar(dst, n, path)
	}
}

func (o *overlay) mapping(dst reflect.Value, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		o.fail(n, "%s is %s, it holds keys: %s", orRoot(path), describe(n), strings.Join(keys(dst.Type()), ", "))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full, name := join(path, key.Value), key.Value
		if now, ok := renamed[full]; ok {
			name = now
		}
		if line, again := seen[name]; again {
			o.fail(key, "key %s is given twice, first in line %d; remove one", short(full), line)
			continue
		}
		seen[name] = key.Line
		field, ok := find(dst, name)
		if !ok {
			text := ""
			if !o.full() {
				text = unknown(dst.Type(), path, key.Value)
			}
			o.fail(key, "%s", text)
			continue
		}
		o.set(field, value, full)
	}
}

func (o *overlay) list(dst reflect.Value, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		o.fail(n, "%s is %s, want a list of %s, such as %s", path, describe(n), kindName(dst.Type().Elem()), example(dst.Type()))
		return
	}
	if dst.Kind() == reflect.Array && dst.Len() != len(n.Content) {
		o.fail(n, "%s has %d values, want %d", path, len(n.Content), dst.Len())
		return
	}
	to := dst
	if dst.Kind() == reflect.Slice {
		to = reflect.MakeSlice(dst.Type(), len(n.Content), len(n.Content))
	}
	for i, item := range n.Content {
		o.set(to.Index(i), item, path+"["+strconv.Itoa(i)+"]")
	}
	dst.Set(to)
}

// classWeights is the type of a text that may be given as a list of numbers.
var classWeights = reflect.TypeFor[loss.ClassWeights]()

// numbers writes a list of numbers to a text that holds them separated by commas.
func (o *overlay) numbers(dst reflect.Value, n *yaml.Node, path string) {
	var v []float64
	o.list(reflect.ValueOf(&v).Elem(), n, path)
	words := make([]string, len(v))
	for i, x := range v {
		words[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	dst.SetString(strings.Join(words, ","))
}

func (o *overlay) scalar(dst reflect.Value, n *yaml.Node, path string) {
	want := kindName(dst.Type())
	if len(n.Value) > maxWord && dst.Kind() != reflect.String {
		o.fail(n, "%s is %s, want %s", path, describe(n), want) // the library's error would repeat the value
		return
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" && dst.Kind() != reflect.String {
		o.fail(n, "%s is %s, want %s", path, describe(n), want)
		return
	}
	var err error
	switch dst.Kind() {
	case reflect.String:
		// Text stays as written: a class may be called "no" or "007".
		dst.SetString(n.Value)
		if n.Tag == "!!null" && n.Value != "null" {
			dst.SetString("")
		}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		// The library would drop a fraction.
		if f, ferr := strconv.ParseFloat(n.Value, 64); n.Tag == "!!float" && (ferr != nil || f != float64(int64(f))) {
			err = errors.New("not a whole number")
		} else {
			err = n.Decode(dst.Addr().Interface())
		}
	default:
		err = n.Decode(dst.Addr().Interface())
	}
	if err != nil {
		o.fail(n, "%s is %s, want %s", path, describe(n), want)
	}
}

// override applies one "a.b.c=value"; the value is YAML ("[1, 2]" is a list).
func override(root reflect.Value, text string) []error {
	o := overlay{source: "-set " + text}
	path, value, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return []error{fmt.Errorf("-set %s: want key=value, such as train.lr=0.005", text)}
	}
	dst, parent := root, ""
	for _, name := range strings.Split(path, ".") {
		if dst.Kind() != reflect.Struct {
			return []error{fmt.Errorf("-set %s: %s has no keys below it", text, parent)}
		}
		field, ok := find(dst, name)
		if !ok {
			return []error{fmt.Errorf("-set %s: %s", text, unknown(dst.Type(), parent, name))}
		}
		dst, parent = field, join(parent, name)
	}
	quoted := strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'") || dst.Type() == classWeights && strings.HasPrefix(value, "[")
	if dst.Kind() == reflect.String && !quoted {
		dst.SetString(value) // paths and names need no quoting
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return []error{fmt.Errorf("-set %s: the value is not YAML: %w", text, err)}
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	if len(doc.Content) > 0 {
		n = doc.Content[0]
	}
	o.set(dst, n, path)
	return o.errs
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orRoot(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return brief(n.Value)
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number, 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "text"
}

func example(t reflect.Type) string {
	switch t.Elem().Kind() {
	case reflect.String:
		return "[cat, dog]"
	case reflect.Float32, reflect.Float64:
		return "[0.5, 1, 2]"
	}
	return "[1, 2, 3]"
}
