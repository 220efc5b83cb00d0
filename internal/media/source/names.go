package source

import (
	"fmt"
	"hash/maphash"
	"path/filepath"
	"strings"
)

// JPEG returns the name of an image's annotated copy, which is a JPEG.
func JPEG(name string) string {
	if e := strings.ToLower(filepath.Ext(name)); e == ".jpg" || e == ".jpeg" {
		return name
	}
	return name + ".jpg"
}

// uniqueNames makes names unique by adding numbers. It keeps 8 bytes of each name, so that rarely a unique name gets a number too.
type uniqueNames struct {
	seed maphash.Seed
	used map[uint64]struct{}
	next map[uint64]int // of a name that was there before, the first number that may be free
}

// newNames returns a set without names.
func newNames() *uniqueNames {
	return &uniqueNames{maphash.MakeSeed(), map[uint64]struct{}{}, map[uint64]int{}}
}

// unique returns the name, with a number if key(name) was used before.
func (n *uniqueNames) unique(name string, key func(string) string) string {
	if n.take(key(name)) {
		return name
	}
	ext := filepath.Ext(name)
	of := maphash.String(n.seed, name)
	for i := max(n.next[of], 2); ; i++ {
		if out := fmt.Sprintf("%s_%d%s", strings.TrimSuffix(name, ext), i, ext); n.take(key(out)) {
			n.next[of] = i + 1
			return out
		}
	}
}

// take marks a name as used and reports whether it was free.
func (n *uniqueNames) take(name string) bool {
	h := maphash.String(n.seed, name)
	_, was := n.used[h]
	n.used[h] = struct{}{}
	return !was
}

// plain returns a file name for a camera or stream.
func plain(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	if _, host, ok := strings.Cut(rest, "@"); ok { // after user and password
		rest = host
	}
	rest, _, _ = strings.Cut(rest, "?")
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, rest), "_.")
	if name == "" {
		return "stream"
	}
	return name[:min(len(name), 150)] // file systems bound names, and this one gets an ending
}
