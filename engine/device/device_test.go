package device

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, name := range []string{"", "cpu"} {
		e, err := Open(Options{Name: name, Threads: 1, Precision: "float32"})
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
		if err := (Options{Name: name}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check of %q: %v", name, err)
		}
	}
	for precision, want := range map[string]string{"tf32": "cuda:0", "bf16": "cuda:0", "fp16": "cuda:0", "half": "there are float32, tf32, bf16, fp16"} {
		if _, err := Open(Options{Precision: precision}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s on the cpu: %v", precision, err)
		}
	}
}

// A device of this program passes the check, and a GPU passes only if the program is built with GPUs.
func TestCheck(t *testing.T) {
	for _, o := range []Options{{}, {Name: "cpu", Precision: "float32"}} {
		if err := o.Check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := (Options{Precision: "bf16"}).Check(); err == nil || !strings.Contains(err.Error(), "cuda:0") {
		t.Errorf("bf16 on the cpu: %v", err)
	}
	without := strings.Contains(GPUs()[0], "without")
	if err := (Options{Name: "cuda:0", Precision: "bf16"}).Check(); (err != nil) != without {
		t.Errorf("a GPU, in a program without GPUs: %v: %v", without, err)
	}
}

func TestNumber(t *testing.T) {
	for name, want := range map[string]int{"cuda": 0, "cuda:0": 0, "cuda:3": 3} {
		if n, gpu, err := parse(name); n != want || !gpu || err != nil {
			t.Errorf("%s is %d, %v, %v", name, n, gpu, err)
		}
	}
}
