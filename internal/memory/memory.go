// Package memory reports how much memory this process has and how much it can have, on this machine and within its control groups.
package memory

import (
	"bytes"
	"os"
	"strconv"
)

// Resident is the resident memory of this process in bytes, 0 where the system does not report it.
func Resident() int64 { return procKB("/proc/self/status", "VmRSS:") << 10 }

// Peak is the most resident memory that this process has had, in bytes, 0 where the system does not report it.
func Peak() int64 { return procKB("/proc/self/status", "VmHWM:") << 10 }

// procKB reads one "key: value kB" line of a file of Linux's proc file system.
func procKB(path, key string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok {
			f := bytes.Fields(rest)
			if len(f) == 0 {
				return 0
			}
			n, err := strconv.ParseInt(string(f[0]), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
