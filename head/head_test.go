package head

import "testing"

func TestGroups(t *testing.T) {
	for width, want := range map[int]int{256: 32, 128: 32, 64: 32, 48: 16, 24: 8, 7: 1, 1: 1} {
		if got := Groups(width); got != want {
			t.Errorf("%d groups for %d channels, want %d", got, width, want)
		}
	}
}
