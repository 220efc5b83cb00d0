package track

import (
	"reflect"
	"slices"
	"testing"

	"retinago/box"
)

// Each video has numbers and counts of its own: videos of one input follow each other, videos of two inputs alternate.
func TestFollower(t *testing.T) {
	t.Parallel()
	line, err := LineAt("line 1", []float64{50, 100, 50, 0})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := ZoneAt("zone 1", []float64{60, 0, 200, 0, 200, 100, 60, 100})
	if err != nil {
		t.Fatal(err)
	}
	f := NewFollower(Options{}, line, zone)
	names := []string{"cat", "dog"}
	next := func(input int, video string, class int, x float32) (Total, int) {
		o := []Object{{Box: box.FromXYWH(x, 40, 20, 20), Score: .9, Class: class}}
		total := f.Next(input, video, video, o, func(k int) string { return names[k] })
		return total, o[0].Track
	}
	for i := range 6 {
		if _, n := next(0, "a", 0, float32(20+10*i)); n != 1 {
			t.Errorf("frame %d of a: track %d", i, n)
		}
		if _, n := next(1, "b", 1, float32(70-10*i)); n != 1 {
			t.Errorf("frame %d of b: track %d", i, n)
		}
	}
	total, n := next(0, "c", 0, 20)
	if n != 1 || !slices.Equal(total.Lines(), []string{"line 1: 0", "zone 1: 0"}) {
		t.Errorf("the next video of an input: track %d, %q", n, total.Lines())
	}
	want := []Total{
		{"a", []Counts{{"line 1", map[string]int{"cat right": 1, "cat left": 0}}, {"zone 1", map[string]int{"cat in": 1, "cat out": 0}}}},
		{"b", []Counts{{"line 1", map[string]int{"dog right": 0, "dog left": 1}}, {"zone 1", map[string]int{"dog in": 0, "dog out": 1}}}},
		{"c", []Counts{{"line 1", map[string]int{}}, {"zone 1", map[string]int{}}}},
	}
	if got := f.Totals(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Without places there is nothing to count, and wrong places are errors.
func TestPlaces(t *testing.T) {
	t.Parallel()
	f := NewFollower(Options{})
	o := []Object{{Box: box.FromXYWH(0, 0, 20, 20), Score: .9}}
	if total := f.Next(0, "a", "a", o, func(int) string { return "cat" }); o[0].Track != 1 || len(total.Counts) != 0 || len(total.Lines()) != 0 || f.Totals() != nil {
		t.Errorf("%+v, %+v, %+v", o, total, f.Totals())
	}
	if _, err := LineAt("l", []float64{1, 2, 1, 2}); err == nil {
		t.Error("a line between equal points was made")
	}
	if _, err := ZoneAt("z", []float64{1, 2, 3, 4}); err == nil {
		t.Error("a zone of two corners was made")
	}
}
