// Package processors reports how many processors this process may keep busy.
package processors

import (
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	"retinago/internal/cgroup"
)

// root is where the system's files are.
const root = "/"

// Count is how many threads to compute with: the processors that this process may run on, or fewer where control groups grant it less
// of their time. A share is rounded to the nearest number, at least 1: of threads that want more time than there is, all stand
// still for the rest of each period.
func Count() int { return count(root, runtime.NumCPU()) }

func count(root string, allowed int) int {
	share, ok := quota(root)
	if !ok {
		return allowed
	}
	return max(min(allowed, int(math.Round(min(share, 1<<20)))), 1)
}

// Throttled is how long the control groups have stopped processors because their time was used up, all processors together.
func Throttled() time.Duration { return throttled(root) }

func throttled(root string) (sum time.Duration) {
	for _, g := range cgroup.Of(root, "cpu") {
		stat := g.Stat("cpu.stat")
		if g.Version == 2 {
			sum += time.Duration(stat["throttled_usec"]) * time.Microsecond
		} else {
			sum += time.Duration(stat["throttled_time"])
		}
	}
	return sum
}

// quota is the number of processors whose time the control groups grant, the least of all of them.
func quota(root string) (least float64, ok bool) {
	for _, g := range cgroup.Of(root, "cpu") {
		if n, limited := share(g); limited && (!ok || n < least) {
			least, ok = n, true
		}
	}
	return least, ok
}

// share is what one group grants: so many microseconds of time in each period.
func share(g cgroup.Group) (float64, bool) {
	time, period := g.Text("cpu.cfs_quota_us"), g.Text("cpu.cfs_period_us")
	if g.Version == 2 {
		time, period, _ = strings.Cut(g.Text("cpu.max"), " ")
	}
	t, err := strconv.ParseFloat(time, 64) // "max" and -1 are no limit
	p, err2 := strconv.ParseFloat(period, 64)
	if err != nil || err2 != nil || !(t > 0 && p > 0) || math.IsInf(t/p, 0) {
		return 0, false
	}
	return t / p, true
}
