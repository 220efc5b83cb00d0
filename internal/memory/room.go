package memory

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"retinago/internal/cgroup"
)

// Room is memory that can be had, in bytes, and what bounds it.
type Room struct {
	Bytes int64  // 0 where the system does not report it
	By    string // "this machine" or "the control group FOLDER"
}

// root is where the system's files are.
const root = "/"

// ForProcess is what this process can have altogether: what it holds besides pages of files, which can be read again, and what is
// available.
func ForProcess() Room { return forProcess(root) }

func forProcess(root string) Room {
	r := available(root)
	if r.Bytes > 0 {
		r.Bytes += held(root)
	}
	return r
}

// held is the memory of this process that is not a file's.
func held(root string) int64 {
	status := filepath.Join(root, "proc/self/status")
	if n := procKB(status, "RssAnon:"); n > 0 {
		return (n + procKB(status, "RssShmem:")) << 10
	}
	return procKB(status, "VmRSS:") << 10
}

// available returns the memory that can be had without swapping: the machine's, or what the limits of the control groups of this process
// leave, if that is less.
func available(root string) Room {
	least := Room{math.MaxInt64, ""}
	if n := procKB(filepath.Join(root, "proc/meminfo"), "MemAvailable:"); n > 0 {
		least = Room{n << 10, "this machine"}
	}
	for i, g := range cgroup.Of(root, "memory") {
		limit, used := bounds(g, i == 0)
		if limit == math.MaxInt64 {
			continue
		}
		// 0 would be unknown.
		if left := max(limit-used, 1); left < least.Bytes {
			least = Room{left, "the control group " + g.Dir}
		}
	}
	if least.Bytes == math.MaxInt64 {
		return Room{}
	}
	return least
}

// unlimited is the least number that version 1 means as no limit: the largest number of pages is just below 1<<63.
const unlimited = 1 << 62

// bounds are a group's limit, math.MaxInt64 without one, and how much of it is used. What files take is given back before anybody is
// killed, and does not count. Swap does not count either: a network that is swapped in and out does not get anywhere.
func bounds(g cgroup.Group, own bool) (limit, used int64) {
	limit = math.MaxInt64
	lower := func(n int64, ok bool) {
		if ok && n < unlimited {
			limit = min(limit, n)
		}
	}
	stat := g.Stat("memory.stat")
	sum := func(keys ...string) (n int64) {
		for _, k := range keys {
			n += stat[k]
		}
		return n
	}
	if g.Version == 2 {
		lower(g.Number("memory.max"))
		lower(g.Number("memory.high")) // above it the kernel holds a process up until it stands
		used, _ = g.Number("memory.current")
		return limit, max(used-sum("inactive_file", "active_file", "slab_reclaimable"), 0)
	}
	if own {
		n, ok := stat["hierarchical_memory_limit"] // with groups above that are not mounted here
		lower(n, ok)
	} else if g.Text("memory.use_hierarchy") == "0" {
		return limit, 0 // its limit is not for the groups in it
	}
	lower(g.Number("memory.limit_in_bytes"))
	used, _ = g.Number("memory.usage_in_bytes")
	if _, ok := stat["total_inactive_file"]; ok {
		return limit, max(used-sum("total_inactive_file", "total_active_file"), 0)
	}
	return limit, max(used-sum("inactive_file", "active_file"), 0)
}

// ErrShort is the cause of Check's error.
var ErrShort = errors.New("not enough memory")

// Check refuses what would take more than is available: on a machine it would be swapped or killed, in a control group killed. what
// begins the error and hint ends it, with what to do.
func Check(what string, need int64, hint string) error { return check(root, what, need, hint) }

func check(root, what string, need int64, hint string) error {
	have := available(root)
	if have.Bytes == 0 || need <= have.Bytes {
		return nil
	}
	return fmt.Errorf("%s takes %d MB; %w: %d MB are available (%s); %s", what, (need+1<<20-1)>>20, ErrShort, have.Bytes>>20, have.By, hint)
}
