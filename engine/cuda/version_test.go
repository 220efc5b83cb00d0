//go:build gpu && linux && amd64

package cuda

import (
	"os"
	"path/filepath"
	"testing"
)

// Both forms of the file, of the proprietary and of the open module.
func TestDriverVersion(t *testing.T) {
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  gcc version 12.2.0\n": "535.129.03 ",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder)\n":                           "580.65.06 ",
		"something else": "",
	} {
		file := filepath.Join(t.TempDir(), "version")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := driverVersion(file); got != want {
			t.Errorf("%q of %q, want %q", got, text, want)
		}
	}
	if got := driverVersion(filepath.Join(t.TempDir(), "none")); got != "" {
		t.Errorf("%q without a file", got)
	}
}

// The sheet's rates are of names as the driver gives them.
func TestSheet(t *testing.T) {
	for model, want := range map[string]float64{"NVIDIA H200": 989e12, "NVIDIA H100 80GB HBM3": 989e12, "NVIDIA H100 PCIe": 756e12, "NVIDIA A100-SXM4-80GB": 312e12, "host": 0, "NVIDIA H200 NVL": 0} {
		if got := sheetBF16(model); got != want {
			t.Errorf("%s: %g, want %g", model, got, want)
		}
	}
}
