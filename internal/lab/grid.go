package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	maxVariants  = 256 // of a Grid
	maxValueName = 32  // bytes of a value in a variant's name
	maxGridName  = 120 // bytes of a variant's name, which is a folder's
)

// factor is a setting with the values that a Grid compares.
type factor struct {
	key    string
	name   string // of the key in variants' names
	values []string
}

// Grid returns a variant for each combination of the values of lists, at most 256. A list "key=value,value" has values as
// config.Config.Set reads them; a comma within brackets, braces or quotes belongs to a value. The values of the last list change first: the
// first variant has the first value of each list. A variant's name joins its values with "+". A value that is no word follows the last
// word of its key, as in light+lr=.001.
func Grid(lists []string) ([]Variant, error) {
	factors := make([]factor, len(lists))
	for i, list := range lists {
		var err error
		if factors[i], err = parseFactor(list); err != nil {
			return nil, err
		}
	}
	if err := nameFactors(factors); err != nil {
		return nil, err
	}
	out := []Variant{{}}
	for _, f := range factors {
		if n := len(out) * len(f.values); n > maxVariants {
			return nil, fmt.Errorf("%s: %d variants up to this list, want at most %d; leave out values", f.key, n, maxVariants)
		}
		out = f.product(out)
	}
	for i := range out {
		out[i].Name = bounded(out[i].Name, out[i].Name, maxGridName)
	}
	return out, nil
}

// product returns a variant for each of all with each value of f.
func (f factor) product(all []Variant) []Variant {
	var out []Variant
	for _, v := range all {
		for _, value := range f.values {
			part, words, sets := f.valueName(value), f.name+" "+value, append(slices.Clone(v.Sets), f.key+"="+value)
			if v.Name != "" {
				part, words = v.Name+"+"+part, v.Words+", "+words
			}
			out = append(out, Variant{Name: part, Words: words, Sets: sets})
		}
	}
	return out
}

// parseFactor reads "key=value,value".
func parseFactor(text string) (factor, error) {
	key, list, ok := strings.Cut(text, "=")
	f := factor{key: strings.TrimSpace(key)}
	if !ok || f.key == "" {
		return f, fmt.Errorf("%q: want key=value,value, as in train.lr=.0005,.001", text)
	}
	var err error
	if f.values, err = splitValues(list); err != nil {
		return f, fmt.Errorf("%s: %w", f.key, err)
	}
	if len(f.values) < 2 {
		return f, fmt.Errorf("%s has one value, %s: give at least two, or set it for all variants with -set", f.key, list)
	}
	for i, v := range f.values {
		if slices.Contains(f.values[:i], v) {
			return f, fmt.Errorf("%s has the value %q twice: remove one", f.key, v)
		}
	}
	return f, nil
}

// nameFactors names each factor by the last word of its key, or by the whole key where factors share that word.
func nameFactors(factors []factor) error {
	last := func(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
	for i, f := range factors {
		factors[i].name = last(f.key)
		for j, other := range factors {
			switch {
			case i != j && f.key == other.key:
				return fmt.Errorf("%s is given twice: give all of its values in one list", f.key)
			case i != j && last(f.key) == last(other.key):
				factors[i].name = f.key
			}
		}
	}
	return nil
}

// splitValues splits a list at the commas outside of brackets, braces and quotes.
func splitValues(list string) ([]string, error) {
	var out []string
	var open []rune // the ends of what is open, the innermost last
	from, before, escaped := 0, ',', false
	for i, r := range list {
		end := rune(0)
		if len(open) > 0 {
			end = open[len(open)-1]
		}
		quoted := end == '"' || end == '\''
		switch {
		case escaped:
			escaped = false
		case end == '"' && r == '\\':
			escaped = true
		case end != 0 && r == end:
			open = open[:len(open)-1]
		case quoted:
		case r == '[':
			open = append(open, ']')
		case r == '{':
			open = append(open, '}')
		case (r == '"' || r == '\'') && strings.ContainsRune(",[{: '", before): // elsewhere it is an apostrophe
			open = append(open, r)
		case r == ',' && end == 0:
			out, from = append(out, strings.TrimSpace(list[from:i])), i+1
		}
		before = r
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("%s lacks a closing %c; quote a text that has an opening one", list[from:], open[len(open)-1])
	}
	out = append(out, strings.TrimSpace(list[from:]))
	if slices.Contains(out, "") {
		return nil, errors.New(`an empty value; write "" for an empty text, and no comma at the end`)
	}
	return out, nil
}

// special matches what a value's part of a name does not have: separators of paths, lists and names, and characters of patterns and shells.
var special = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// valueName returns a value as variants' names have it: a word alone, anything else after the name of its key.
func (f factor) valueName(value string) string {
	name := bounded(strings.Trim(special.ReplaceAllString(value, "_"), "_"), value, maxValueName)
	switches := []string{"true", "false", "yes", "no", "on", "off", "null"}
	if unicode.IsLetter(rune(name[0])) && !slices.Contains(switches, strings.ToLower(name)) {
		return name
	}
	return f.name + "=" + name
}

// bounded returns a name of at most most bytes for a text. A name that is not the text itself ends with a part of the text's checksum, so
// that texts that differ have names that differ.
func bounded(name, text string, most int) string {
	if name == text && len(name) <= most {
		return name
	}
	const sum = 4 // bytes, two digits each
	return fmt.Sprintf("%s-%.*x", name[:min(len(name), most-2*sum-1)], sum, sha256.Sum256([]byte(text)))
}
