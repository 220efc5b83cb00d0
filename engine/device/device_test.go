package device

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, name := range []string{"", "cpu"} {
		e, err := Open(Options{Name: name, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != "cpu" || e.Threads() != 1 {
			t.Errorf("%q is %s with %d threads", name, e.Name(), e.Threads())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{"gpu": "unknown device", "cuda:": "unknown device", "cuda:-1": "unknown device", "cuda:x": "unknown device", "cpu:0": "unknown device"} {
		if _, err := Open(Options{Name: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Open(Options{TF32: true}); err == nil {
		t.Error("TF32 on the cpu")
	}
}

func TestNumber(t *testing.T) {
	for name, want := range map[string]int{"cuda": 0, "cuda:0": 0, "cuda:3": 3} {
		if n, gpu, err := parse(name); n != want || !gpu || err != nil {
			t.Errorf("%s is %d, %v, %v", name, n, gpu, err)
		}
	}
}
