// Package tree makes folders that look like a system's proc and sys, for tests.
package tree

import (
	"os"
	"path/filepath"
	"testing"
)

// Make writes files by name into a folder of their own, which it returns.
func Make(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
