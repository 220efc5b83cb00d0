package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// files calls f for every file of the repository whose name ends with one of some suffixes.
func files(t *testing.T, f func(path, text string), suffixes ...string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "out" || name == "bin" || name == "runs" || name == "testdata" || strings.HasPrefix(name, ".") && path != root) {
			return fs.SkipDir
		}
		for _, s := range suffixes {
			if d.Type().IsRegular() && strings.HasSuffix(path, s) {
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				n++
				f(path, string(b))
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files, %v", n, err)
	}
}

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	text    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// anchors are the headings of a page, as GitHub names them in links.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, text.ReplaceAllString(m[1], "$1"))
		name := slug
		for i := 1; out[name]; i++ {
			name = fmt.Sprintf("%s-%d", slug, i)
		}
		out[name] = true
	}
	return out
}

// broken returns the relative links of a page at a path that lead nowhere.
func broken(path, page string) []string {
	var out []string
	page = code.ReplaceAllString(fence.ReplaceAllString(page, ""), "")
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		u, err := url.Parse(m[1])
		if err != nil {
			out = append(out, m[1])
			continue
		}
		if u.Scheme != "" || u.Host != "" {
			continue
		}
		target := path
		if u.Path != "" {
			target = filepath.Join(filepath.Dir(path), u.Path)
		}
		b, err := os.ReadFile(target)
		if st, e := os.Stat(target); e == nil && st.IsDir() {
			err = nil
		}
		if err != nil || u.Fragment != "" && !anchors(string(b))[u.Fragment] {
			out = append(out, m[1])
		}
	}
	return out
}

// Every relative link of every page leads to a file, and to a heading where it names one.
func TestLinks(t *testing.T) {
	files(t, func(path, page string) {
		for _, l := range broken(path, page) {
			t.Errorf("%s: the link %s leads nowhere", path, l)
		}
	}, ".md")
	dir := t.TempDir()
	page := "# A b\n## `C`, d_e: [f](g)!\n## A b\n[1](#a-b) [2](#a-b-1) [3](#c-d_e-f) [4](p.md#a-b) [5](https://example.org/none) [6](.)\n" +
		"[7](none.md) [8](#none) [9](p.md#none)\n`[10](none)`\n```\n# no heading\n[11](none)\n```\n[12](#no-heading)\n"
	path := filepath.Join(dir, "p.md")
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(broken(path, page), " "); got != "g none.md #none p.md#none #no-heading" {
		t.Errorf("broken links of the example: %s", got)
	}
}
