package weights

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// wrappers are the keys under which programs put the tensors of a checkpoint, those of moving averages last.
var wrappers = [...]string{"state_dict", "model", "model_state_dict", "net", "network", "module",
	"model_ema", "ema", "ema_state_dict", "state_dict_ema", "model_ema_state_dict", "averaged_model"}

// take finds the tensors in what the file holds.
func (c *Checkpoint) take(value any) error {
	if d, ok := value.(*dict); ok {
		c.named = classesOf(d)
		if c.key != "" {
			inner, _ := d.get(c.key).(*dict)
			if inner == nil {
				return fmt.Errorf("there are no tensors under %q; the file has %s", c.key, d.keys())
			}
			c.notes = append(c.notes, fmt.Sprintf("the tensors under %q were taken", c.key))
			value = inner
		}
	}
	for range 4 {
		d, ok := value.(*dict)
		if !ok {
			break
		}
		inner, key, others := d.unwrap()
		if inner == nil {
			break
		}
		note := fmt.Sprintf("the tensors under %q were taken", key)
		if len(others) > 0 {
			note += fmt.Sprintf("; there are others under %q", others)
		}
		c.notes = append(c.notes, note)
		value = inner
	}
	switch v := value.(type) {
	case *dict:
		if err := c.collect("", v, 0); err != nil {
			return err
		}
	case opaque:
		return fmt.Errorf("a whole object of %v, not its tensors: save its state_dict()", v.class)
	case *ndarray:
		return errors.Join(v.fault, errors.New("one array where a dictionary of tensors should be"))
	default:
		return fmt.Errorf("a %T where a dictionary of tensors should be", value)
	}
	if len(c.names) == 0 {
		if c.unread != "" {
			return fmt.Errorf("there are no tensors in it, but %s, which is not read; nothing in a file is run", c.unread)
		}
		return errors.New("there are no tensors in it")
	}
	c.strip()
	return nil
}

// unwrap returns the dictionary of tensors among other things with its key, nil where the tensors are d's own, and the keys of other
// such dictionaries.
func (d *dict) unwrap() (inner *dict, key string, others []string) {
	own := d.count()
	var found [len(wrappers)]*dict
	for _, it := range d.items {
		key, _ := it.key.(string)
		i := slices.Index(wrappers[:], key)
		if i < 0 || found[i] != nil {
			continue
		}
		if inner, ok := it.value.(*dict); ok && inner.count() >= own {
			found[i] = inner
		}
	}
	for i, f := range found {
		switch {
		case f == nil:
		case inner == nil:
			inner, key = f, wrappers[i]
		case f.count() > 0:
			others = append(others, wrappers[i])
		}
	}
	return inner, key, others
}

// get returns the value of a key, nil where there is none.
func (d *dict) get(key string) any {
	for _, it := range d.items {
		if it.key == key {
			return it.value
		}
	}
	return nil
}

// keys lists the dictionaries of d, some of them where they are many.
func (d *dict) keys() string {
	var out []string
	for _, it := range d.items {
		if key, ok := it.key.(string); ok && len(key) <= maxName && len(out) < 20 {
			if _, ok := it.value.(*dict); ok {
				out = append(out, strconv.Quote(key))
			}
		}
	}
	if len(out) == 0 {
		return "none to choose from"
	}
	return strings.Join(out, ", ")
}
