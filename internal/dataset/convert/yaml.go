package convert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yoloFile is data.yaml: where the images of each split are, and the names of the classes, as a list or by number.
type yoloFile struct {
	Path  string               `yaml:"path"`
	Names yaml.Node            `yaml:"names"`
	Count yaml.Node            `yaml:"nc"`        // of the classes
	Poses yaml.Node            `yaml:"kpt_shape"` // there where labels have key points behind their boxes
	Rest  map[string]yaml.Node `yaml:",inline"`
}

// mostKeys bounds what stands at the top of data.yaml: the decoder compares each key with all others.
const mostKeys = 1000

func parseYOLO(text []byte) (y yoloFile, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return y, err
	}
	if len(doc.Content) == 0 {
		return y, nil
	}
	if n := keys(doc.Content[0]); n > mostKeys {
		return y, fmt.Errorf("%d keys, and at most %d are read", n, mostKeys)
	}
	return y, doc.Decode(&y)
}

// keys is the number of keys of a mapping, with those that <<, at any depth, brings in.
func keys(n *yaml.Node) int {
	sum := 0
	for level := []*yaml.Node{n}; len(level) > 0 && sum <= mostKeys; {
		n, level = level[0], level[1:]
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		switch n.Kind {
		case yaml.SequenceNode: // of mappings
			sum += len(n.Content)
			level = append(level, n.Content...)
		case yaml.MappingNode:
			sum += len(n.Content) / 2
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Tag == "!!merge" {
					level = append(level, n.Content[i+1])
				}
			}
		}
	}
	return sum
}

// splits are the keys of data.yaml with folders or lists of images.
func (y yoloFile) splits() map[string][]string {
	out := map[string][]string{}
	for k, n := range y.Rest {
		var list []string
		switch {
		case n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value != "":
			out[k] = []string{n.Value}
		case n.Kind == yaml.SequenceNode && n.Decode(&list) == nil && len(list) > 0 && !slices.Contains(list, ""):
			out[k] = list
		}
	}
	return out
}

// folder is where a split's images are: below "path", which is relative to the file. Where no such folder is, as in what some programs
// export, it is looked for beside the file, without "../" in front, with other separators, and in a folder of the last name of "path".
func (y yoloFile) folder(file, folder string) string {
	beside := filepath.Dir(file)
	root := y.Path
	if !filepath.IsAbs(root) {
		root = filepath.Join(beside, root)
	}
	first := folder
	if !filepath.IsAbs(first) {
		first = filepath.Join(root, folder)
	}
	slashes := strings.ReplaceAll(folder, `\`, "/")
	bare := slashes
	for strings.HasPrefix(bare, "../") || strings.HasPrefix(bare, "./") {
		_, bare, _ = strings.Cut(bare, "/")
	}
	for _, try := range []string{first, filepath.Join(root, slashes), filepath.Join(beside, slashes), filepath.Join(root, bare), filepath.Join(beside, bare),
		filepath.Join(beside, filepath.Base(root), bare)} {
		if _, err := os.Stat(try); err == nil {
			return try
		}
	}
	if end := byEnd(beside, bare); isFolder(end) || isRegular(end) { // below the name that the dataset's folder had
		return end
	}
	return first
}

// names are the classes in the order of their numbers; none where the file has no names.
func (y yoloFile) names() (list []string, err error) {
	n := &y.Names
	if n.Kind == 0 {
		return nil, nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode || n.Decode(&list) != nil || len(list) == 0 {
		byNumber, err := numbered(n)
		if err != nil {
			return nil, err
		}
		list = nil
		for i := range len(byNumber) {
			n, ok := byNumber[i]
			if !ok {
				return nil, fmt.Errorf("names: %d names, and none for class %d", len(byNumber), i)
			}
			list = append(list, n)
		}
	}
	if err := distinct(list); err != nil {
		return nil, fmt.Errorf("names: %w", err)
	}
	return list, nil
}

// distinct reports two classes of one name.
func distinct(list []string) error {
	index := map[string]int{}
	for i, n := range list {
		if first, twice := index[n]; twice {
			return fmt.Errorf("classes %d and %d are both called %q", first, i, n)
		}
		index[n] = i
	}
	return nil
}

// numbered reads numbers with names, one by one: the decoder of maps compares each key with all others.
func numbered(n *yaml.Node) (map[int]string, error) {
	wrong := errors.New("names is neither a list nor numbers with names")
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return nil, wrong
	}
	out := map[int]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var class int
		var name string
		if n.Content[i].Decode(&class) != nil || n.Content[i+1].Decode(&name) != nil {
			return nil, wrong
		}
		if _, twice := out[class]; twice {
			return nil, fmt.Errorf("names: class %d has two names", class)
		}
		out[class] = name
	}
	return out, nil
}
