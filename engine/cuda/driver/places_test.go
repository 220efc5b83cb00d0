//go:build gpu && linux && amd64

package driver

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A library is looked for by its name first, then in the packages of Python's environments; newer names first.
func TestPlaces(t *testing.T) {
	venv, conda := t.TempDir(), t.TempDir()
	t.Setenv("VIRTUAL_ENV", venv)
	t.Setenv("CONDA_PREFIX", conda)
	t.Setenv("PATH", "")
	t.Setenv("HOME", t.TempDir())
	put := func(dir, name string) string {
		f := filepath.Join(dir, "lib", "python3.12", "site-packages", "nvidia", name)
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, []byte("no library"), 0o644); err != nil {
			t.Fatal(err)
		}
		return f
	}
	new, old, other := put(venv, "cu13/lib/libretinago_x.so.13"), put(venv, "x/lib/libretinago_x.so.12"), put(conda, "x/lib/libretinago_x.so.12")
	put(venv, "x/include/libretinago_x.so.13")
	want := []string{"libretinago_x.so.13", new, "libretinago_x.so.12", old, other}
	if got := Places("libretinago_x.so.13", "libretinago_x.so.12"); !slices.Equal(got, want) {
		t.Errorf("places\n%q, want\n%q", got, want)
	}
	if _, err := Load(want...); err == nil {
		t.Error("text files are no libraries")
	}

	// The interpreter on the PATH prints its environment, which its link does not lead to.
	bin := filepath.Join(t.TempDir(), "env", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/sh", filepath.Join(bin, "python3")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	f := put(filepath.Dir(bin), "x/lib/libretinago_y.so.1")
	if got := Places("libretinago_y.so.1"); !slices.Contains(got, f) {
		t.Errorf("%s is not among %q", f, got)
	}
}
