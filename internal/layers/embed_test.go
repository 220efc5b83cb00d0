package layers

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// published is the path that scripts/module gives the module in this test.
const published = "example.com/retinago"

// Another module imports this one through a proxy, builds without OpenCV, and trains a step with a hook, detects, serves and computes a
// loss with the code of docs/embed.md.
func TestEmbed(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program's packages once more")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	source := copied(t, root)
	command(t, source, nil, "scripts/module", published)
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	snippets(t, filepath.Join(source, "docs", "embed.md"), program)
	move(t, filepath.Join(source, "internal", "layers", "testdata", "embed", "main.go"), filepath.Join(program, "main.go"))
	move(t, filepath.Join(source, "go.sum"), filepath.Join(program, "go.sum"))
	proxy := filepath.Join(dir, "proxy")
	version := publish(t, source, proxy)

	cache := strings.TrimSpace(command(t, root, nil, "go", "env", "GOMODCACHE"))
	t.Cleanup(func() { // the module cache is shared, and this version was for this test alone
		removeAll(t, filepath.Join(cache, published+"@"+version))
		removeAll(t, filepath.Join(cache, "cache", "download", published))
	})
	flags := "-mod=mod"
	if strings.Contains(os.Getenv("GOFLAGS"), "-trimpath") {
		flags += " -trimpath"
	}
	upstream := strings.TrimSpace(command(t, root, nil, "go", "env", "GOPROXY"))
	env := []string{"GOFLAGS=" + flags, "GONOSUMDB=" + published, "GOWORK=off",
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download") + "," + upstream}
	mod := fmt.Sprintf("module example.com/program\n\ngo 1.26.0\n\nrequire %s %s\n", published, version)
	if err := os.WriteFile(filepath.Join(program, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "embed")
	command(t, program, env, "go", "build", "-o", binary, ".")
	if deps := command(t, program, env, "go", "list", "-deps", "."); strings.Contains(deps, "gocv.io") {
		t.Error("the program needs gocv")
	}
	if out := command(t, dir, nil, binary, t.TempDir()); !strings.Contains(out, "step 1: ") || !strings.HasSuffix(out, "done\n") {
		t.Errorf("the program prints:\n%s", out)
	}
}

// command runs a command in a folder, with env besides this process's environment, and returns its standard output.
func command(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.Bytes())
	}
	return string(out)
}

// copied copies the files of the working tree that git knows or does not ignore.
func copied(t *testing.T, root string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("without git it is not known which files are the module's")
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(command(t, root, nil, "git", "ls-files", "-co", "--exclude-standard", "-z"), "\x00") {
		if info, err := os.Stat(filepath.Join(root, name)); name == "" || err != nil || !info.Mode().IsRegular() {
			continue // deleted, or a link to a folder
		}
		move(t, filepath.Join(root, name), filepath.Join(dir, name))
	}
	return dir
}

// move copies a file with its permissions, and makes the folders on the way.
func move(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, info.Mode().Perm())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// snippets writes the Go files in a page: code that begins with a comment of their name.
func snippets(t *testing.T, page, dir string) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```go\n// ([a-z]+\\.go)\n(.*?)^```$").FindAllSubmatch(b, -1)
	if len(found) != 4 {
		t.Fatalf("%s has %d Go files, want 4", page, len(found))
	}
	for _, m := range found {
		if err := os.WriteFile(filepath.Join(dir, string(m[1])), m[2], 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// publish writes the module as a proxy's files and returns its version, which follows from the content: so the build cache serves equal
// content again.
func publish(t *testing.T, source, proxy string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(source, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(source, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	version := "v0.0.0-20260101000000-" + hex.EncodeToString(sum.Sum(nil))[:12]
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(published + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(proxy, filepath.FromSlash(published), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version),
		version + ".mod":  files["go.mod"],
		version + ".zip":  b.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return version
}

// removeAll removes a folder of the module cache, which is read-only.
func removeAll(t *testing.T, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}
