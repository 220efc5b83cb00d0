package register

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/text/unicode/norm"

	"retinago/internal/file"
)

// ErrTaken is the cause of an error for a file that must not be replaced. Files of other names can be written.
var ErrTaken = errors.New("it is not replaced")

// ErrTwice is the cause of an error from File for a path that another option of the run names too.
var ErrTwice = errors.New("one path is given twice")

// Options configures a Register.
type Options struct {
	// Overwrite replaces files of others too, except those that the run reads.
	Overwrite bool
	// Notice is called with a line for each name that is shortened; several goroutines may call it. nil discards it.
	Notice func(line string)
}

// Register is the paths of a run. It is for concurrent use.
type Register struct {
	options Options
	seed    maphash.Seed

	mu      sync.Mutex
	inputs  map[identity]string // what each is
	within  map[string]string   // of a resolved folder that the run reads, what it is
	given   map[string]string   // of a folded path, the option that names it
	folders []*Folder
}

// identity is a file's, under all of its names.
type identity struct{ device, inode uint64 }

// New returns an empty register.
func New(o Options) *Register {
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	return &Register{options: o, seed: maphash.MakeSeed(), inputs: map[identity]string{}, within: map[string]string{}, given: map[string]string{}}
}

// InputFolder records a folder that the run reads, such as that of a dataset. Of the files below it only unchanged results of earlier runs are
// replaced, also with Overwrite. What is no folder is passed over.
func (g *Register) InputFolder(what, path string) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.within[resolved(path)] = what
}

// Input records a file that the run reads, such as "the source" or "-weights". What is no regular file, or not there, is passed over.
func (g *Register) Input(what, path string) {
	id, ok := identify(path)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.inputs[id]; !known {
		g.inputs[id] = what
	}
}

func identify(path string) (identity, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return identity{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(st.Dev), st.Ino}, true
}

// File takes a path as that of a file to be written, which an option such as "-json" names. "" and "-" are no files. Its error is
// ErrTwice for a path that another option names, and ErrTaken for a file that must not be replaced. Pipes and devices can be written.
func (g *Register) File(option, path string) error {
	if path == "" || path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s %s is a folder: give the name of a file", option, path)
	case err == nil && !info.Mode().IsRegular():
		return nil
	case errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("%s %.80s...: the name is too long for the file system: give a shorter one", option, path)
	}
	if err := g.once(option, path); err != nil {
		return err
	}
	if err == nil && info.Size() == 0 && !g.reads(path) {
		return nil // as mktemp makes them: nothing is lost
	}
	if err := g.replaceable(path); err != nil {
		return fmt.Errorf("%s: %w: give another name%s", option, err, g.orOverwrite(path))
	}
	return nil
}

// once takes a path for one option.
func (g *Register) once(option, path string) error {
	key := fold(resolved(path))
	g.mu.Lock()
	defer g.mu.Unlock()
	if other, ok := g.given[key]; ok && other != option {
		return fmt.Errorf("%s and %s are both %s: %w: give each a path of its own", other, option, path, ErrTwice)
	}
	g.given[key] = option
	return nil
}

func (g *Register) reads(path string) bool { return g.input(path) != "" }

// input says what a file is for the run that reads it; "" where the run does not read it.
func (g *Register) input(path string) string {
	id, ok := identify(path)
	if !ok {
		return ""
	}
	mine, real := file.Mine(path), resolved(path)
	g.mu.Lock()
	defer g.mu.Unlock()
	if what, read := g.inputs[id]; read {
		return what
	}
	if mine {
		return ""
	}
	for dir, what := range g.within {
		if within(real, dir) {
			return "part of " + what
		}
	}
	return ""
}

// orOverwrite is the other advice for a path that is taken: none for an input.
func (g *Register) orOverwrite(path string) string {
	if g.reads(path) {
		return ""
	}
	return ", or -overwrite to replace it"
}

// special is an error of a path where no regular file is: nothing could be lost there.
type special struct{ error }

func (s special) Unwrap() error { return s.error }

// replaceable is the error of replacing what is at a path; nil where nothing is.
func (g *Register) replaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if info, err = os.Stat(path); err != nil && g.options.Overwrite {
			return nil
		} else if err != nil {
			return special{fmt.Errorf("%s is a link that leads nowhere: %w", path, ErrTaken)}
		}
	}
	if !info.Mode().IsRegular() {
		return special{fmt.Errorf("%s is no regular file: %w", path, ErrTaken)}
	}
	if what := g.input(path); what != "" {
		return fmt.Errorf("%s is %s: %w", path, what, ErrTaken)
	}
	if !g.options.Overwrite && !file.Mine(path) {
		return fmt.Errorf("%s is there, and no unchanged result of an earlier %s: %w", path, file.Author(), ErrTaken)
	}
	return nil
}

// fold returns one text for all names that a file system may take for one: those that differ in case or in their Unicode form.
func fold(path string) string {
	return norm.NFC.String(strings.ToLower(norm.NFD.String(path)))
}

// resolved is an absolute path without links in the part of it that is there.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}

// within reports whether a resolved path is a resolved folder, or lies below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
