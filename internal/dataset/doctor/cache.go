package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"retinago/internal/file"
)

// CacheFolder is where the sizes of images are kept: below the user's cache folder. It is empty where there is none.
func CacheFolder() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "retinago", "sizes")
}

// Bounds of the cache. A smaller dataset is read as fast without it.
const (
	leastCached = 1000             // images
	maxCached   = 4_000_000        // images of a folder
	maxCache    = maxCached * 1000 // bytes of a file
	maxFiles    = 64               // folders; the oldest are removed
)

// cacheHeader begins a file of the cache. Its number changes where an image's size is read by other rules.
const cacheHeader = "retinago sizes 1"

// cache holds the sizes of the images of a folder, by path below it.
type cache struct {
	path string // of its file; empty where nothing is kept
	root string
	all  map[string]entry
}

type entry struct {
	stamp
	w, h int
}

// openCache reads the cache of a folder. One that is absent, damaged or of other rules is empty.
func openCache(dir, root string, pictures int) *cache {
	c := &cache{all: map[string]entry{}}
	abs, err := filepath.Abs(root)
	if dir == "" || err != nil || pictures < leastCached || pictures > maxCached {
		return c
	}
	c.root = abs
	sum := sha256.Sum256([]byte(abs))
	c.path = filepath.Join(dir, hex.EncodeToString(sum[:12])+".txt")
	if b, err := file.Read(c.path, maxCache); err == nil {
		c.parse(b)
	}
	return c
}

// parse reads a file: the header with the checksum of what follows, then a line for each image.
func (c *cache) parse(b []byte) {
	head, rest, _ := bytes.Cut(b, []byte("\n"))
	if string(head) != cacheHead(rest) {
		return
	}
	lines := bufio.NewScanner(bytes.NewReader(rest))
	for lines.Scan() {
		var e entry
		var name string
		if n, err := fmt.Sscanf(lines.Text(), "%d %d %d %d %q", &e.size, &e.time, &e.w, &e.h, &name); n == 5 && err == nil && e.w > 0 && e.h > 0 {
			c.all[name] = e
		}
	}
}

func cacheHead(rest []byte) string {
	return fmt.Sprintf("%s %08x", cacheHeader, crc32.ChecksumIEEE(rest))
}

// name is a path below the folder, or whole where it is elsewhere.
func (c *cache) name(path string) string {
	abs := path
	if !filepath.IsAbs(abs) {
		var err error
		if abs, err = filepath.Abs(path); err != nil {
			return path
		}
	}
	if below, ok := strings.CutPrefix(abs, c.root+string(filepath.Separator)); ok {
		return below
	}
	return abs
}

// find returns the size of an image whose file has not changed.
func (c *cache) find(path string, now stamp) (w, h int, ok bool) {
	if len(c.all) == 0 {
		return 0, 0, false
	}
	e, ok := c.all[c.name(path)]
	return e.w, e.h, ok && e.stamp == now
}

// save adds what was read, where that is new. A cache that cannot be written is left as it is.
func (c *cache) save(paths []string, seen []header, stamps []stamp) {
	if c.path == "" {
		return
	}
	changed := false
	for i, path := range paths {
		if seen[i].err != nil || stamps[i] == (stamp{}) {
			continue
		}
		name, now := c.name(path), entry{stamps[i], seen[i].w, seen[i].h}
		if c.all[name] != now {
			c.all[name], changed = now, true
		}
	}
	if !changed {
		return
	}
	if len(c.all) > maxCached { // most are of files that are gone
		old := c.all
		c.all = map[string]entry{}
		for _, path := range paths {
			if e, ok := old[c.name(path)]; ok {
				c.all[c.name(path)] = e
			}
		}
	}
	var b bytes.Buffer
	for name, e := range c.all {
		fmt.Fprintf(&b, "%d %d %d %d %q\n", e.size, e.time, e.w, e.h, name)
	}
	if os.MkdirAll(filepath.Dir(c.path), 0o755) != nil {
		return
	}
	if file.WriteBytes(c.path, append([]byte(cacheHead(b.Bytes())+"\n"), b.Bytes()...)) == nil {
		c.prune()
	}
}

// prune removes the oldest files of the cache's folder beyond the number that is kept.
func (c *cache) prune() {
	dir := filepath.Dir(c.path)
	entries, _ := os.ReadDir(dir)
	type old struct {
		name string
		time int64
	}
	var all []old
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), ".txt") {
			all = append(all, old{e.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(all, func(a, b old) int { return cmp.Compare(b.time, a.time) })
	for _, e := range all[min(len(all), maxFiles):] {
		_ = file.Remove(filepath.Join(dir, e.name)) // it is tried again after the next change
	}
}
