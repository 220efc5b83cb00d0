package config

import (
	"reflect"
	"strings"
	"testing"

	"retinago/augment"
)

// A list of policies is read in all of its forms, and what is written reads back.
func TestAugment(t *testing.T) {
	t.Parallel()
	turn := augment.Policy{Name: "rotate", Settings: map[string]float64{"degrees": 5, "probability": .25}}
	for text, want := range map[string]Augment{
		"data: {augment: light}":          {{Name: "light"}},
		"data: {augment: []}":             {},
		"data: {augment: [light, vflip]}": {{Name: "light"}, {Name: "vflip"}},
		"data: {augment: {name: vflip}}":  {{Name: "vflip"}},
		"data:\n  augment:\n  - ssd\n  - name: rotate\n    degrees: 5\n    probability: 0.25\n": {{Name: "ssd"}, turn},
	} {
		c, err := Parse("x.yaml", []byte(text))
		if err != nil || !reflect.DeepEqual(c.Data.Augment, want) {
			t.Errorf("%s: %v, %v", text, c.Data.Augment, err)
			continue
		}
		again, err := Parse("x.yaml", []byte(c.String()))
		if err != nil || len(again.Changes(c)) > 0 || again.String() != c.String() {
			t.Errorf("%s: %v, written as\n%s", text, err, c)
		}
	}
	c := Default()
	if err := c.Set([]string{"data.augment=[ssd, {name: rotate, probability: .25, degrees: 5}]"}); err != nil || !reflect.DeepEqual(c.Data.Augment, Augment{{Name: "ssd"}, turn}) {
		t.Errorf("%v, %v", c.Data.Augment, err)
	}
	change := Default().Changes(c)
	if len(change) != 1 || change[0] != (Change{"data.augment", "[]", "[ssd {name: rotate, probability: 0.25, degrees: 5}]"}) {
		t.Errorf("%+v", change)
	}
}

// A configuration without policies is written as before there were any.
func TestNoAugment(t *testing.T) {
	t.Parallel()
	if strings.Contains(Default().String(), "augment:") {
		t.Error("an empty list is written")
	}
}

func TestAugmentErrors(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"lite":                                         `data.augment[0]: unknown policy "lite"; there are hflip,`,
		"[light, {degrees: 3}]":                        `data.augment[1] has no name`,
		"[{name: rotate, angle: 3}]":                   `data.augment[0]: rotate has no setting "angle"; it has probability, degrees`,
		"[{name: rotate, degrees: 90}]":                `data.augment[0]: degrees of rotate is 90, want 0 to 45`,
		"[{name: rotate, degrees: ten}]":               `data.augment[0].degrees is "ten", want a number`,
		"[{name: rotate, degrees: .nan}]":              `degrees of rotate is NaN, want 0 to 45`,
		"[{name: cutout, count: 1.5}]":                 `count of cutout is 1.5, want whole, 1 to 100`,
		"[{name: light, probability: 1}]":              `light is a preset, which has no settings; name one of its policies after it: scale_jitter,`,
		"[{name: gamma, min: 2}]":                      `min of gamma is 2, want at most max (1.25)`,
		"[{name: gamma, min: 1, min: 1}]":              `key data.augment[0].min is given twice`,
		"[[light]]":                                    `data.augment[0] is a list, want the name`,
		"":                                             `data.augment is empty, want the name`,
		"[" + strings.Repeat("vflip,", 65) + "]":       `data.augment has 65 values, want at most 64`,
		"[{name: " + strings.Repeat("x", 10000) + "}]": `xxx...`,
	} {
		c := Default()
		err := c.Set([]string{"data.augment=" + value})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", value, err, want)
		} else if len(err.Error()) > 40000 {
			t.Errorf("%.60s: an error of %d bytes", value, len(err.Error()))
		}
	}
}
