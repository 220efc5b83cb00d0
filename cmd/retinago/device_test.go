package main

import (
	"os"
	"testing"
)

// Without a GPU, or in a program without them, -device cuda:0 is an error that says so; version prints it too.
func TestDeviceWithoutGPU(t *testing.T) {
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("this machine has a GPU")
	}
	for _, device := range []string{"cuda:0", "gpu"} {
		code, out := call(t, "bench", "speed", "-size", "64x64", "-device", device)
		if code != exitError {
			t.Errorf("-device %s: code %d", device, code)
		}
		wants(t, out, "device")
	}
	for _, precision := range []string{"tf32", "bf16", "half"} {
		code, out := call(t, "bench", "speed", "-size", "64x64", "-precision", precision)
		if code != exitError {
			t.Errorf("-precision %s on the cpu: code %d", precision, code)
		}
		wants(t, out, precision)
	}
	wants(t, ok(t, "version"), "GPU ")
}
