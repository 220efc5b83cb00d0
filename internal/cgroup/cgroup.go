// Package cgroup finds the control groups of this process, of version 1 or 2 or both beside each other, whose limits hold for
// it. A group's folder is looked up as the process sees it: in a container with a view of its own it is often the mount itself.
package cgroup

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Group is a control group.
type Group struct {
	Version int    // 1 or 2
	Dir     string // its folder, for messages
	root    string
}

// most bounds how far up groups are followed.
const most = 64

// Of returns the groups that limit what a controller, such as memory or cpu, gives this process: its own first, then each one above
// that is mounted. root is the folder where proc and sys are, "/" outside of tests. There is none where the system has no
// control groups or does not report them.
func Of(root, controller string) []Group {
	own, unified := memberships(read(root, "/proc/self/cgroup"), controller)
	mounts := parseMounts(read(root, "/proc/self/mountinfo"))
	if own != "" {
		if g := walk(root, mounts, 1, own, func(m mount) bool { return m.kind == "cgroup" && slices.Contains(m.options, controller) }); g != nil {
			return g
		}
	}
	if unified != "" {
		return walk(root, mounts, 2, unified, func(m mount) bool { return m.kind == "cgroup2" })
	}
	return nil
}

// memberships reads /proc/self/cgroup: the path of this process in the hierarchy of a version-1 controller, and in version 2's.
func memberships(text, controller string) (own, unified string) {
	for line := range strings.Lines(text) {
		part := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(part) != 3 || !strings.HasPrefix(part[2], "/"):
		case part[0] == "0" && part[1] == "":
			unified = part[2]
		case slices.Contains(strings.Split(part[1], ","), controller):
			own = part[2]
		}
	}
	return own, unified
}

// walk lists the folders from a group's up to its mount's.
func walk(root string, mounts []mount, version int, group string, fits func(mount) bool) (out []Group) {
	at, below, found := "", "", false
	for _, m := range mounts {
		if !fits(m) {
			continue
		}
		rest, inside := within(group, m.root)
		if !found || inside { // one that shows the group itself is better than one that shows groups above or below only
			at, below, found = m.point, rest, true
		}
		if inside {
			break
		}
	}
	if !found {
		return nil
	}
	for range most {
		out = append(out, Group{version, path.Join(at, below), root})
		if below == "" || below == "/" {
			break
		}
		below = path.Dir(below)
	}
	return out
}

// within is what leads from a mount's root to a group. Where that is outside, as for a process that is seen from another
// view, the mount itself is all that is known.
func within(group, root string) (string, bool) {
	if slices.Contains(strings.Split(group, "/"), "..") {
		return "", false
	}
	if root == "/" {
		return group, true
	}
	rest, ok := strings.CutPrefix(group, root)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return rest, true
}

// Text is the content of a file of the group without blanks around it, empty where it cannot be read.
func (g Group) Text(name string) string {
	return strings.TrimSpace(read(g.root, path.Join(g.Dir, name)))
}

// Number is a file's number. ok is false where there is none, as for "max".
func (g Group) Number(name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(g.Text(name), 10, 64)
	return n, err == nil && n >= 0
}

// Stat reads a file of "key number" lines.
func (g Group) Stat(name string) map[string]int64 {
	out := map[string]int64{}
	for line := range strings.Lines(g.Text(name)) {
		if f := strings.Fields(line); len(f) == 2 {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil && n >= 0 {
				out[f[0]] = n
			}
		}
	}
	return out
}

func read(root, name string) string {
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return ""
	}
	return string(b)
}
