//go:build gpu && linux && amd64

package driver

import (
	"testing"

	"gorgonia.org/cu"
)

// The program runs before there is a driver; its functions then say so instead of ending it. Libraries that are there are found,
// others named.
func TestWithoutDriver(t *testing.T) {
	if n, err := cu.NumDevices(); err == nil || n != 0 {
		t.Errorf("%d devices, %v before a driver is open", n, err)
	}
	if _, err := Load("libnothing.so.7", "libnothing.so.8"); err == nil {
		t.Error("a library that is not there")
	}
	m, err := Load("libnothing.so.7", "libm.so.6")
	if err != nil {
		t.Fatal(err)
	}
	if m.Symbol("cos") == nil || m.Symbol("no_such_function") != nil {
		t.Error("functions of libm")
	}
	if err := Replace(m); err == nil {
		t.Error("libm is no driver")
	}
}
