package cgroup

import (
	"strconv"
	"strings"
)

// mount is a line of /proc/self/mountinfo.
type mount struct {
	root    string   // the folder of the file system that is mounted
	point   string   // where
	kind    string   // of file system
	options []string // of the file system: for control groups of version 1 the controllers
}

// parseMounts reads lines such as
//
//	35 31 0:32 /docker/1f /sys/fs/cgroup/memory rw,relatime master:9 - cgroup cgroup rw,memory
func parseMounts(text string) (out []mount) {
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		out = append(out, mount{unescape(l[3]), unescape(l[4]), r[0], strings.Split(r[2], ",")})
	}
	return out
}

// unescape turns \040 and the like into the bytes that they stand for.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
