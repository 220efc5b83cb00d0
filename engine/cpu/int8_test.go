package cpu

import (
	"fmt"
	"slices"
	"testing"

	"retinago/engine"
	"retinago/engine/enginetest"
)

// Every instruction set for sums of 8-bit products passes the suite.
func TestInt8Paths(t *testing.T) {
	if !slices.Contains(Int8Paths(), "plain") {
		t.Fatal("no plain kernels")
	}
	for _, path := range Int8Paths() {
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s-%d", path, threads), func(t *testing.T) {
				enginetest.Int8(t, func(t testing.TB) engine.Engine { return start(t, Options{Threads: threads, Int8: path}) })
			})
		}
	}
}

func TestInt8Unknown(t *testing.T) {
	if _, err := New(Options{Int8: "abacus"}); err == nil {
		t.Error("no error for kernels that do not exist")
	}
	e := start(t, Options{})
	if _, err := e.PackInt8(make([]int8, 3), engine.Int8Shape{K: 1, C: 4, R: 1, S: 1, Groups: 1}); err == nil {
		t.Error("no error for three weights of four")
	}
}
