package kinds

import (
	"math"
	"strings"
	"testing"
)

type entry struct {
	Kind
	number int
}

var table = []entry{
	{Kind{Name: "a", Text: "first", Params: []Param{{Key: "x", Default: .5, Max: 1}, {Key: "y", Default: 1, Max: 2, Above: true}}}, 1},
	{Kind{Name: "b", Text: "second", Needs: "c"}, 2},
}

func TestFind(t *testing.T) {
	t.Parallel()
	if e, err := Find(table, "kind", "b"); err != nil || e.number != 2 {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := Find(table, "kind", "c"); err == nil || err.Error() != `unknown kind "c"; there are a, b` {
		t.Errorf("error %v", err)
	}
}

func TestParam(t *testing.T) {
	t.Parallel()
	x, ok := table[0].Param("x")
	y, _ := table[0].Param("y")
	if _, other := table[0].Param("z"); !ok || other {
		t.Error("x is not found, or z is")
	}
	if !x.Holds(0) || !x.Holds(1) || x.Holds(1.1) || x.Holds(-.1) || x.Holds(math.NaN()) || y.Holds(0) || !y.Holds(1e-9) ||
		(Param{Max: 3, Whole: true}).Holds(1.5) || !(Param{Max: 3, Whole: true}).Holds(2) {
		t.Error("a bound is wrong")
	}
	if x.Range() != "0 to 1" || y.Range() != "above 0, at most 2" || (Param{Want: "any"}).Range() != "any" ||
		(Param{Min: 1, Max: 3, Whole: true}).Range() != "whole, 1 to 3" {
		t.Errorf("%q, %q", x.Range(), y.Range())
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	want := "| `a` | first | `x`: 0.5 (0 to 1); `y`: 1 (above 0, at most 2) |  |\n| `b` | second |  | c |\n"
	if got := Markdown(table); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s", got)
	}
}
