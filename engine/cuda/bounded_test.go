//go:build gpu && linux && amd64

package cuda

import "testing"

// The value that was not used for longest goes first, and none goes before there are as many as the bound.
func TestBounded(t *testing.T) {
	b := newBounded[int, string]()
	for i, v := range []string{"a", "b", "c"} {
		if _, ok := b.oldest(3); ok {
			t.Fatalf("%d values are too many", i)
		}
		b.put(i, v)
	}
	if v, ok := b.get(0); !ok || v != "a" {
		t.Errorf("0 is %q, %v", v, ok)
	}
	if v, ok := b.oldest(3); !ok || v != "b" {
		t.Errorf("the oldest is %q, %v; want b", v, ok)
	}
	if _, ok := b.get(1); ok || len(b.values) != 2 {
		t.Errorf("b is still there, among %d", len(b.values))
	}
}
