package main

import (
	"os"
	"testing"
)

// Without a GPU, or in a program without them, -device cuda:0 is an error that says so; version tells it too.
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
	if code, out := call(t, "bench", "speed", "-size", "64x64", "-tf32"); code != exitError {
		t.Errorf("-tf32 on the cpu: code %d, %s", code, out)
	}
	wants(t, ok(t, "version"), "GPU ")
}
