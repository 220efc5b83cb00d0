package processors

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"retinago/internal/cgroup/tree"
)

func TestCount(t *testing.T) {
	v2 := func(files map[string]string) map[string]string {
		out := map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"}
		for k, v := range files {
			out["sys/fs/cgroup/"+k] = v
		}
		return out
	}
	v1 := func(quota, period string) map[string]string {
		return map[string]string{"proc/self/cgroup": "3:cpu,cpuacct:/a\n", "proc/self/mountinfo": "32 31 0:29 / /c rw - cgroup cgroup rw,cpu,cpuacct\n",
			"c/a/cpu.cfs_quota_us": quota, "c/a/cpu.cfs_period_us": period}
	}
	for name, k := range map[string]struct {
		files   map[string]string
		allowed int
		want    int
	}{
		"no group":            {nil, 8, 8},
		"no quota":            {v2(map[string]string{"a/b/cpu.max": "max 100000\n"}), 8, 8},
		"half":                {v2(map[string]string{"a/b/cpu.max": "50000 100000\n"}), 8, 1},
		"a tenth":             {v2(map[string]string{"a/b/cpu.max": "10000 100000\n"}), 8, 1},
		"one":                 {v2(map[string]string{"a/b/cpu.max": "100000 100000\n"}), 8, 1},
		"one and a half":      {v2(map[string]string{"a/b/cpu.max": "150000 100000\n"}), 8, 2},
		"two and a third":     {v2(map[string]string{"a/b/cpu.max": "233333 100000\n"}), 8, 2},
		"another period":      {v2(map[string]string{"a/b/cpu.max": "60000 20000\n"}), 8, 3},
		"above":               {v2(map[string]string{"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "200000 100000\n"}), 8, 2},
		"affinity is less":    {v2(map[string]string{"a/b/cpu.max": "400000 100000\n"}), 2, 2},
		"more than there are": {v2(map[string]string{"a/b/cpu.max": "9000000000000000000 1\n"}), 2, 2},
		"garbage":             {v2(map[string]string{"a/b/cpu.max": "x y z\n"}), 4, 4},
		"no period":           {v2(map[string]string{"a/b/cpu.max": "50000\n"}), 4, 4},
		"a period of 0":       {v2(map[string]string{"a/b/cpu.max": "50000 0\n"}), 4, 4},
		"version 1":           {v1("50000\n", "100000\n"), 4, 1},
		"version 1, three":    {v1("300000\n", "100000\n"), 4, 3},
		"version 1, none":     {v1("-1\n", "100000\n"), 4, 4},
		"version 1, garbage":  {v1("NaN\n", "Inf\n"), 4, 4},
	} {
		if got := count(tree.Make(t, k.files), k.allowed); got != k.want {
			t.Errorf("%s: %d, want %d", name, got, k.want)
		}
	}
}

func TestThrottled(t *testing.T) {
	two := tree.Make(t, map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": "30 23 0:26 / /c rw - cgroup2 cgroup2 rw\n",
		"c/a/b/cpu.stat": "usage_usec 7\nnr_throttled 3\nthrottled_usec 1500000\n", "c/a/cpu.stat": "throttled_usec 500000\n", "c/cpu.stat": "usage_usec 9\n"})
	one := tree.Make(t, map[string]string{"proc/self/cgroup": "3:cpu:/a\n", "proc/self/mountinfo": "32 31 0:29 / /c rw - cgroup cgroup rw,cpu\n",
		"c/a/cpu.stat": "nr_periods 5\nnr_throttled 1\nthrottled_time 2000000000\n"})
	for root, want := range map[string]time.Duration{two: 2 * time.Second, one: 2 * time.Second, t.TempDir(): 0} {
		if got := throttled(root); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestCountHere(t *testing.T) {
	if n := Count(); n < 1 || n > runtime.NumCPU() {
		t.Error(fmt.Sprint(n, " of ", runtime.NumCPU()))
	}
}
