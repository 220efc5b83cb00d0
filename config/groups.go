package config

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// ParamGroup is how the parameters that a pattern matches train, apart from the others.
type ParamGroup struct {
	Pattern string  // of parameters' names; * is any text, ? one character, [ab] one of some
	LR      float64 // factor on the learning rate
	Decay   float64 // factor on the weight decay
	Freeze  bool    // they do not train
}

// Fits reports whether the group has the parameter of a name.
func (g ParamGroup) Fits(name string) bool {
	fits, err := path.Match(g.Pattern, name)
	return fits && err == nil
}

// ParamGroups parses Groups.
func (t Train) ParamGroups() ([]ParamGroup, error) {
	var out []ParamGroup
	for i, text := range t.Groups {
		g, err := parseGroup(text)
		if err != nil {
			return nil, fmt.Errorf("train.groups[%d] is %s: %w", i, brief(text), err)
		}
		out = append(out, g)
	}
	return out, nil
}

func parseGroup(text string) (ParamGroup, error) {
	const form = `want a pattern of names and one or more of lr=FACTOR, decay=FACTOR, freeze, such as "backbone.* lr=0.1"`
	words := strings.Fields(text)
	if len(words) < 2 {
		return ParamGroup{}, errors.New(form)
	}
	g := ParamGroup{Pattern: words[0], LR: 1, Decay: 1}
	if _, err := path.Match(g.Pattern, ""); err != nil {
		return g, fmt.Errorf("the pattern %s has a bracket without its other one", g.Pattern)
	}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		var into *float64
		switch key {
		case "lr":
			into = &g.LR
		case "decay":
			into = &g.Decay
		case "freeze":
			if w != "freeze" {
				return g, fmt.Errorf("freeze takes no value")
			}
			g.Freeze = true
			continue
		default:
			return g, fmt.Errorf("%s is not known; %s", brief(w), form)
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v >= 0 && v <= maxScale) {
			return g, fmt.Errorf("%s is %s, want a factor from 0 to %g", key, brief(value), float64(maxScale))
		}
		*into = v
	}
	return g, nil
}
