package config

import (
	"reflect"
	"testing"
)

func TestChanges(t *testing.T) {
	a := Default()
	b := a
	if got := a.Changes(b); len(got) > 0 {
		t.Errorf("equal ones differ: %v", got)
	}
	b.Model.Classes = []string{"cat", "dog"}
	b.Model.Anchors.Ratios = []float64{1}
	b.Data.Train.Source = "a.json"
	b.Train.LR = .005
	a.Data.ShortSides, b.Data.ShortSides = nil, []int{}
	want := []Change{
		{"model.anchors.ratios", "[0.5 1 2]", "[1]"},
		{"model.classes", "[]", "[cat dog]"},
		{"data.train.source", `""`, `"a.json"`},
		{"train.lr", "0.01", "0.005"},
	}
	if got := a.Changes(b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
