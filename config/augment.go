package config

import (
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"

	"retinago/augment"
)

// Augment is a list of policies and presets. In a file it is one name, or a list of names and of mappings that have a name and the
// policy's settings: [light, {name: rotate, degrees: 5}].
type Augment []augment.Policy

// reader is a setting with a form of its own in a file.
type reader interface {
	read(o *overlay, n *yaml.Node, path string)
}

var (
	_ reader         = (*Augment)(nil)
	_ yaml.Marshaler = Augment(nil)
)

// read sets the list from a node.
func (a *Augment) read(o *overlay, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	list := Augment{}
	for i, item := range items {
		at := path
		if n.Kind == yaml.SequenceNode {
			at += "[" + strconv.Itoa(i) + "]"
		}
		if p, ok := policy(o, item, at); ok {
			list = append(list, p)
		}
	}
	*a = list
}

// policy reads a name, or a mapping of a name and settings.
func policy(o *overlay, n *yaml.Node, path string) (p augment.Policy, ok bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return augment.Policy{Name: n.Value}, true
	case n.Kind != yaml.MappingNode:
		o.fail(n, "%s is %s, want the name of a policy or preset, or a mapping such as {name: rotate, degrees: 5}", path, describe(n))
		return p, false
	}
	before := len(o.errs)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch full := join(path, key.Value); {
		case seen[key.Value]:
			o.fail(key, "key %s is given twice; remove one", short(full))
		case key.Value == "name":
			o.set(reflect.ValueOf(&p.Name).Elem(), value, full)
		default:
			var v float64
			o.set(reflect.ValueOf(&v).Elem(), value, short(full))
			if p.Settings == nil {
				p.Settings = map[string]float64{}
			}
			p.Settings[key.Value] = v
		}
		seen[key.Value] = true
	}
	if !seen["name"] {
		o.fail(n, "%s has no name; give the policy's, as in {name: rotate, degrees: 5}", path)
	}
	return p, len(o.errs) == before
}

// MarshalYAML returns the list as read takes it.
func (a Augment) MarshalYAML() (any, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, p := range a {
		item := scalar(p.Name)
		if len(p.Settings) > 0 {
			item = &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{scalar("name"), item}}
			for _, key := range p.Keys() {
				var value yaml.Node
				if err := value.Encode(p.Settings[key]); err != nil {
					return nil, err
				}
				item.Content = append(item.Content, scalar(key), &value)
			}
		}
		list.Content = append(list.Content, item)
	}
	return list, nil
}

// scalar returns a text as a node.
func scalar(s string) *yaml.Node {
	var n yaml.Node
	n.SetString(s)
	return &n
}
