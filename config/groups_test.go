package config

import (
	"strings"
	"testing"
)

func TestParamGroups(t *testing.T) {
	c := Default()
	c.Train.Groups = []string{"backbone.* lr=0.1 decay=0", "head.box.?.weight freeze", "*.bn[12].* lr=2"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	g, err := c.Train.ParamGroups()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []ParamGroup{{"backbone.*", .1, 0, false}, {"head.box.?.weight", 1, 1, true}, {"*.bn[12].*", 2, 1, false}} {
		if g[i] != want {
			t.Errorf("%q is %+v, want %+v", c.Train.Groups[i], g[i], want)
		}
	}
	for name, fits := range map[string][3]bool{
		"backbone.body.layer1.0.bn1.weight": {true, false, true}, "head.box.0.weight": {false, true, false}, "head.box.10.weight": {}, "fpn.bn3.weight": {},
	} {
		for i := range g {
			if g[i].Fits(name) != fits[i] {
				t.Errorf("%s fits %s: %v", name, g[i].Pattern, !fits[i])
			}
		}
	}
	// Written and read again, a list stays as it is.
	again, err := Parse("again", []byte(c.String()))
	if err != nil || strings.Join(again.Train.Groups, "|") != strings.Join(c.Train.Groups, "|") {
		t.Errorf("%q, %v", again.Train.Groups, err)
	}
}

// A wrong group is refused with its number, what it is, and what is wanted.
func TestParamGroupsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "want a pattern of names and one or more of",
		"backbone.*":          "want a pattern of names and one or more of",
		"backbone.* rate=2":   `"rate=2" is not known`,
		"backbone.* lr":       `lr is "", want a factor`,
		"backbone.* lr=-1":    `lr is "-1", want a factor`,
		"backbone.* lr=NaN":   `lr is "NaN", want a factor`,
		"backbone.* decay=x":  `decay is "x", want a factor`,
		"backbone.* freeze=1": "freeze takes no value",
		"back[bone lr=1":      "a bracket without its other one",
	} {
		c := Default()
		c.Train.Groups = []string{"* lr=1", text}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "train.groups[1] is ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	c := Default()
	c.Train.Groups = make([]string, maxGroups+1)
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "train.groups has 65 values") {
		t.Errorf("too many groups: %v", err)
	}
}
