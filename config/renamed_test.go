package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A configuration of an earlier version is read with the names of today, and written with them.
func TestRenamedKeys(t *testing.T) {
	c, err := Parse("old", []byte("data:\n  train: {json: a.json, images: a}\n  val: {json: b.json}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Data.Train.Source != "a.json" || c.Data.Train.Images != "a" || c.Data.Val.Source != "b.json" {
		t.Errorf("got %+v", c.Data)
	}
	if again, err := Parse("new", []byte(c.String())); err != nil || again.String() != c.String() {
		t.Errorf("%v\n%s", err, again)
	}
	_, err = Parse("both", []byte("data:\n  train: {source: a.json, json: b.json}\n"))
	if err == nil || !strings.Contains(err.Error(), "data.train.json is given twice, first in line 2") {
		t.Errorf("both names at once: %v", err)
	}
	known := paths(reflect.TypeFor[Config](), "")
	for old, name := range maps.All(renamed) {
		group := old[:strings.LastIndexByte(old, '.')]
		if slices.Contains(known, old) || !slices.Contains(known, join(group, name)) {
			t.Errorf("%s -> %s: want a key that is not there any more and one that is", old, name)
		}
	}
}
