package register

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"retinago/internal/file"
	"retinago/internal/text"
)

// Folder is a folder for results. It gives names in the order of its calls, and checks each path before it is written.
type Folder struct {
	register *Register
	option   string
	dir      string // as the user named it
	real     string // without links
	longest  int    // bytes of a name

	// Guarded by the register's mutex. Names are kept as hashes of 8 bytes: rarely a unique one gets a number too.
	names  map[uint64]uint64 // of a folded name, its owner
	frames map[uint64]bool   // of an image's folded name that looks like one of a video's frame, without the number
	series map[string]string // of an owner with frames, its stem
	next   map[uint64]int    // of a name that was there before, the first number that may be free
	shared bool              // another option's files lie in the folder too
	paths  map[uint64]uint64 // of a folded path, its owner, where it is shared
	told   map[uint64]bool   // owners of whose shortened names a line was printed
}

// Folder takes a folder for the files that an option such as "-out" asks for. The folder may be absent.
func (g *Register) Folder(option, dir string) *Folder {
	f := &Folder{register: g, option: option, dir: dir, real: resolved(dir), longest: nameMax(dir), names: map[uint64]uint64{}, frames: map[uint64]bool{},
		series: map[string]string{}, next: map[uint64]int{}, paths: map[uint64]uint64{}, told: map[uint64]bool{}}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.folders {
		if within(f.real, o.real) || within(o.real, f.real) {
			f.shared, o.shared = true, true
		}
	}
	g.folders = append(g.folders, f)
	return f
}

// nameMax is how many bytes a name may have in a folder, or in the first one above it that is there.
func nameMax(dir string) int {
	const usual = 255
	for at := resolved(dir); ; at = filepath.Dir(at) {
		var st unix.Statfs_t
		if err := unix.Statfs(at, &st); err == nil {
			if st.Namelen < 1 || st.Namelen > usual {
				return usual
			}
			return int(st.Namelen)
		}
		if at == filepath.Dir(at) {
			return usual
		}
	}
}

// Dir is the folder as the user named it.
func (f *Folder) Dir() string { return f.dir }

// Holds reports whether a path is the folder or lies in it.
func (f *Folder) Holds(path string) bool { return within(resolved(path), f.real) }

// Is reports whether a path is the folder's.
func (f *Folder) Is(path string) bool { return resolved(path) == f.real }

// Below reports whether the folder lies in another one.
func (f *Folder) Below(dir string) bool { return !f.Is(dir) && within(f.real, resolved(dir)) }

// frameNumber is the end of the names of a video's frames.
var frameNumber = regexp.MustCompile(`_\d{6,}$`)

// Name returns stem, with a number where one of the names stem + end belongs to another owner. An owner is a source, by its unique name.
// What it returns is the stem that the owner's files have in this folder.
func (f *Folder) Name(stem, owner string, ends ...string) string {
	return f.unique(stem, func(stem string) bool {
		base := frameNumber.ReplaceAllString(stem, "")
		for _, end := range ends {
			if !f.free(stem+end, owner) || base != stem && f.names[f.hash(framesOf+base+end)] != 0 {
				return false
			}
		}
		for _, end := range ends {
			f.names[f.hash(stem+end)] = f.owner(owner)
			if base != stem {
				f.frames[f.hash(base+end)] = true
			}
		}
		return true
	})
}

// framesOf is what the names of series begin with in Folder.names.
const framesOf = "frames of "

// Frames is Name for an owner whose files are called by its stem, an underscore and a number of six digits. It may be called for each
// of them.
func (f *Folder) Frames(stem, owner, end string) string {
	f.register.mu.Lock()
	known, ok := f.series[owner]
	f.register.mu.Unlock()
	if ok {
		return known
	}
	stem = f.unique(stem, func(stem string) bool {
		if f.frames[f.hash(stem+end)] || !f.free(framesOf+stem+end, owner) {
			return false
		}
		f.names[f.hash(framesOf+stem+end)] = f.owner(owner)
		return true
	})
	f.register.mu.Lock()
	defer f.register.mu.Unlock()
	f.series[owner] = stem
	return stem
}

// unique returns the first of stem, stem_2, stem_3 ... that free accepts.
func (f *Folder) unique(stem string, free func(string) bool) string {
	f.register.mu.Lock()
	defer f.register.mu.Unlock()
	if free(stem) {
		return stem
	}
	of := f.hash(stem)
	for i := max(f.next[of], 2); ; i++ {
		if numbered := fmt.Sprintf("%s_%d", stem, i); free(numbered) {
			f.next[of] = i + 1
			return numbered
		}
	}
}

// free reports whether a name is an owner's, or may become it.
func (f *Folder) free(name, owner string) bool {
	has, ok := f.names[f.hash(name)]
	return !ok || has == f.owner(owner)
}

func (f *Folder) hash(name string) uint64 {
	return maphash.String(f.register.seed, fold(filepath.Clean(name)))
}

// owner is not folded: two sources may have names that differ in case alone.
func (f *Folder) owner(name string) uint64 { return cmp.Or(maphash.String(f.register.seed, name), 1) }

// Path returns the path of a file below the folder, which is to be written at once, and makes the folders on the way. Parts of the name
// that are too long are shortened, to leave room for so many bytes more. Errors are file.ErrName, ErrTaken, and those of the file system.
func (f *Folder) Path(name, owner string, room int) (string, error) {
	short := f.shortened(name, room)
	path, err := file.Below(f.dir, short)
	if err == nil {
		err = f.check(path)
	}
	if err == nil {
		err = f.share(path, owner)
	}
	if err != nil {
		return "", err
	}
	if short != name {
		f.tell(name, short, owner)
	}
	return path, nil
}

// tell reports the first shortened name of an owner.
func (f *Folder) tell(name, short, owner string) {
	g, who := f.register, f.owner(owner)
	g.mu.Lock()
	told := f.told[who]
	f.told[who] = true
	g.mu.Unlock()
	if !told {
		g.options.Notice(fmt.Sprintf("shortened: %s is written as %s: names here have at most %d bytes", text.Printable(name), text.Printable(filepath.Join(f.dir, short)), f.longest))
	}
}

// Check is the error that Path would have because a file that is there under a name would be lost. It changes nothing.
func (f *Folder) Check(name string, room int) error {
	err := f.check(filepath.Join(f.dir, f.shortened(name, room)))
	var s special
	if errors.As(err, &s) {
		return nil
	}
	return err
}

func (f *Folder) check(path string) error {
	err := f.register.replaceable(path)
	if !errors.Is(err, ErrTaken) {
		return nil // Path has its own errors
	}
	return fmt.Errorf("%w: give another %s%s", err, f.option, f.register.orOverwrite(path))
}

// share takes a path in a folder that files of other options lie in too.
func (f *Folder) share(path, owner string) error {
	g := f.register
	g.mu.Lock()
	defer g.mu.Unlock()
	if !f.shared {
		return nil
	}
	key, who := f.hash(resolved(path)), f.owner(f.option+" "+owner)
	for _, o := range g.folders {
		if has, ok := o.paths[key]; ok && has != who {
			return fmt.Errorf("%s is a result of %s in this run: %w: give %s another folder", path, o.option, ErrTaken, f.option)
		}
	}
	f.paths[key] = who
	return nil
}

// shortened returns a name whose parts the file system takes. Of a long part the begin and the extension stay, with the first 8 digits of
// the SHA-256 of the whole part between them.
func (f *Folder) shortened(name string, room int) string {
	parts := strings.Split(filepath.ToSlash(name), "/")
	for i, part := range parts {
		if most := f.longest - room; len(part) > most {
			parts[i] = shorten(part, most)
		}
	}
	return filepath.FromSlash(strings.Join(parts, "/"))
}

// shorten shortens one part of a path to most bytes. UTF-8 stays whole.
func shorten(part string, most int) string {
	const longestEnd = 40
	end := tail.FindString(part)
	if len(end) > longestEnd {
		end = filepath.Ext(part)
	}
	if len(end) > longestEnd {
		end = ""
	}
	hash := fmt.Sprintf("-%x", sha256.Sum256([]byte(part)))[:9]
	return strings.ToValidUTF8(part[:most-len(hash)-len(end)], "") + hash + end
}

// tail is what results add to the name of their source, and the extension.
var tail = regexp.MustCompile(`(_\d{1,7})*(\.part\d*)?\.[A-Za-z0-9]{1,5}$`)
