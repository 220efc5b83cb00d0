package text

import (
	"slices"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"person", "car", "traffic light", "Straße"}
	for in, want := range map[string]string{
		"persn": "person", "PERSON": "person", "cat": "car", "traffic_ligt": "traffic light", "strase": "Straße",
		"dog": "", "": "", "x": "", strings.Repeat("person", 20): "",
	} {
		if got, ok := Nearest(in, names); got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	// A name of the list that is far too long is passed over.
	if got, ok := Nearest("a", []string{strings.Repeat("b", 1<<20), "b"}); got != "b" || !ok {
		t.Errorf("with a long name: %.20q", got)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]string{"zebra"}, 25)
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"cat", "dog"}, `no class "dogs" (did you mean "dog"?): there are cat, dog`},
		{[]string{"cat", "horse"}, `no class "dogs": there are cat, horse`},
		{nil, `no class "dogs": there are none`},
		{many, "zebra and 5 more"},
	} {
		if err := Unknown("no class", "dogs", c.names); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
