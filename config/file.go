package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"

	"retinago/internal/file"
)

// maxErrors bounds how many errors are reported at once.
const maxErrors = 20

// Load reads the file at path over the defaults, applies the overrides ("train.lr=.005") in order and validates. An
// empty path loads the defaults.
func Load(path string, sets []string) (Config, error) {
	c := Default()
	var errs []error
	if path != "" {
		text, err := file.Read(path, MaxText)
		if err != nil {
			return Config{}, fmt.Errorf("config: %w", err)
		}
		errs = c.lay(path, text)
	}
	errs = append(errs, c.override(sets)...)
	if len(errs) > 0 {
		return Config{}, joined(errs)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", orDefaults(path), err)
	}
	return c, nil
}

// Set applies overrides ("train.lr=.005") in order and validates.
func (c *Config) Set(sets []string) error {
	if errs := c.override(sets); len(errs) > 0 {
		return joined(errs)
	}
	return c.Validate()
}

func (c *Config) override(sets []string) (errs []error) {
	for _, s := range sets {
		before := c.Train
		errs = append(errs, override(reflect.ValueOf(c).Elem(), s)...)
		c.Train.settle(before)
	}
	return errs
}

// Parse reads YAML text over the defaults and validates. name stands for the text in errors.
func Parse(name string, text []byte) (Config, error) {
	c := Default()
	if errs := c.lay(name, text); len(errs) > 0 {
		return Config{}, joined(errs)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// lay writes the settings of one YAML document to c.
func (c *Config) lay(name string, text []byte) []error {
	if len(text) > MaxText {
		return []error{fmt.Errorf("%s: has %d bytes, more than the %d that a configuration can have", name, len(text), MaxText)}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return nil // an empty file changes nothing
	} else if err != nil {
		return []error{fmt.Errorf("%s: not YAML: %w", name, err)}
	}
	if err := d.Decode(&more); err != io.EOF {
		return []error{fmt.Errorf("%s: holds a second YAML document; keep one", name)}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil // comments only
	}
	o := overlay{source: name, lines: true}
	before := c.Train
	o.set(reflect.ValueOf(c).Elem(), root, "")
	c.Train.settle(before)
	return o.errs
}

// settle makes the last given length of a run, Epochs, Steps or Minutes, replace earlier ones. If several are given at once, they stay,
// and Validate reports it.
func (t *Train) settle(before Train) {
	epochs, steps, minutes := t.Epochs != before.Epochs, t.Steps != before.Steps, t.Minutes != before.Minutes
	if !(epochs && t.Epochs > 0 || steps && t.Steps > 0 || minutes && t.Minutes > 0) {
		return
	}
	if !epochs {
		t.Epochs = 0
	}
	if !steps {
		t.Steps = 0
	}
	if !minutes {
		t.Minutes = 0
	}
}

// String returns the resolved tree as YAML.
func (c Config) String() string {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(c); err != nil {
		panic("config: " + err.Error()) // plain structs always encode
	}
	return b.String()
}

// Save writes the resolved tree. A file that exists is replaced as a whole or not at all.
func (c Config) Save(path string) error {
	if err := file.WriteBytes(path, []byte(c.String())); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

func joined(errs []error) error {
	if n := len(errs) - maxErrors; n > 0 {
		errs = append(errs[:maxErrors:maxErrors], fmt.Errorf("and %d more", n))
	}
	return errors.Join(errs...)
}

func orDefaults(path string) string {
	if path == "" {
		return "config"
	}
	return path
}
