package locate

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Folder is a folder of images. It remembers the folders that it has read; it is for one goroutine.
type Folder struct {
	root   string
	listed map[string]map[string][]string // folder -> plain name -> the names that are written otherwise
}

// New prepares a search in a folder. Names that are relative are relative to it.
func New(root string) *Folder {
	return &Folder{root: root, listed: map[string]map[string][]string{}}
}

// Find returns the name of an existing file for a name of the dataset: relative to the folder with slashes, or absolute where the file lies
// outside. A name that fits no file, or several that only case or Unicode form tell apart, is not found.
func (f *Folder) Find(name string) (found string, ok bool) {
	if name == "" {
		return "", false
	}
	if f.exists(name) {
		return f.inside(name), true
	}
	all := spellings(name)
	for _, n := range all[1:] {
		if f.exists(n) {
			return f.inside(n), true
		}
	}
	var below []string
	for _, n := range all {
		below = append(below, f.suffixes(n)...)
	}
	for _, n := range below {
		if f.exists(n) {
			return n, true
		}
	}
	all = append(all, below...)
	for _, n := range all {
		if n, ok := f.otherwise(n); ok {
			return n, true
		}
	}
	for _, n := range all {
		if n = original(n); n != "" && filepath.IsLocal(n) {
			if n, ok := f.otherwise(n); ok {
				return n, true
			}
		}
	}
	return "", false
}

// Path is where a name that was found lies.
func (f *Folder) Path(name string) string { return Path(f.root, name) }

// Path is where a name lies that Find returned for a folder.
func Path(root, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(root, filepath.FromSlash(name))
}

// inside is a name without "..", if it leads back into the folder.
func (f *Folder) inside(name string) string {
	if strings.Contains(name, "..") {
		if rel, err := filepath.Rel(f.root, f.Path(name)); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return name
}

// exists reports whether there is a file, not a folder, of a name.
func (f *Folder) exists(name string) bool {
	st, err := os.Stat(f.Path(name))
	return err == nil && !st.IsDir()
}

// scheme is the beginning of an address, of the web or of a file.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:/{0,3}`)

// spellings are the ways to read a name, itself first, each once.
func spellings(name string) []string {
	out := []string{name}
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, change := range []func(string) string{
		func(s string) string { return strings.Trim(s, " \t\r\n\"'") },
		func(s string) string { return strings.ReplaceAll(s, `\`, "/") },
		served,
		uploaded,
		func(s string) string { // file:///a/b.jpg, http://host/a/b.jpg?width=9
			begin := scheme.FindString(s)
			if begin == "" {
				return s
			}
			s, _, _ = strings.Cut(s[len(begin):], "?")
			return "/" + s
		},
		func(s string) string {
			if decoded, err := url.PathUnescape(s); err == nil {
				return decoded
			}
			return s
		},
	} {
		for _, s := range slices.Clone(out) {
			add(change(s))
		}
	}
	return out
}

// drive is the beginning of a path of Windows.
var drive = regexp.MustCompile(`^[A-Za-z]:/`)

// suffixes are the ends of a name that may lie below the folder, the longest first: all ends of an absolute path, whose beginning is of
// another machine; of a relative one what is behind "../" and behind folders that the folder's own path ends with.
func (f *Folder) suffixes(name string) []string {
	name = drive.ReplaceAllString(name, "/")
	absolute := strings.HasPrefix(name, "/")
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "." })
	up := 0
	for up < len(parts) && parts[up] == ".." {
		up++
	}
	if parts = parts[up:]; slices.Contains(parts, "..") {
		return nil
	}
	var out []string
	for i := range parts {
		if i == 0 || absolute || f.ends(parts[:i]) {
			out = append(out, path.Join(parts[i:]...))
		}
	}
	return out
}

// ends reports whether the folder's path ends with some folders.
func (f *Folder) ends(parts []string) bool {
	root, err := filepath.Abs(f.root)
	if err != nil {
		return false
	}
	return strings.HasSuffix(filepath.ToSlash(root)+"/", "/"+strings.Join(parts, "/")+"/")
}

// plain is a name without what differs between systems: case and Unicode form.
func plain(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// otherwise finds a file whose name differs in case or Unicode form only, part by part, if there is one such file.
func (f *Folder) otherwise(name string) (string, bool) {
	found := ""
	if filepath.IsAbs(name) {
		return "", false
	}
	parts := strings.Split(path.Clean(filepath.ToSlash(name)), "/")
	for i, p := range parts {
		if p == ".." {
			return "", false
		}
		same := f.list(found)[plain(p)]
		if slices.Contains(same, p) {
			same = []string{p}
		}
		if len(same) != 1 {
			return "", false
		}
		found = path.Join(found, same[0])
		if i == len(parts)-1 {
			return found, f.exists(found)
		}
	}
	return "", false
}

// list reads a folder once. One that cannot be read is empty.
func (f *Folder) list(name string) map[string][]string {
	l, known := f.listed[name]
	if !known {
		l = map[string][]string{}
		entries, _ := os.ReadDir(f.Path(name))
		for _, e := range entries {
			l[plain(e.Name())] = append(l[plain(e.Name())], e.Name())
		}
		f.listed[name] = l
	}
	return l
}
