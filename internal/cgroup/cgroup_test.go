package cgroup

import (
	"slices"
	"strings"
	"testing"

	"retinago/internal/cgroup/tree"
)

const (
	v2Mount     = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	memoryMount = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	cpuMount    = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
)

func TestOf(t *testing.T) {
	for name, k := range map[string]struct {
		cgroup, mounts, controller string
		version                    int
		want                       []string
	}{
		"version 2, nested":   {"0::/a/b\n", v2Mount, "memory", 2, []string{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"}},
		"version 2, own view": {"0::/\n", v2Mount, "memory", 2, []string{"/sys/fs/cgroup"}},
		"version 1": {"9:cpu,cpuacct:/x\n4:memory:/docker/1f\n0::/\n", cpuMount + memoryMount, "memory", 1,
			[]string{"/sys/fs/cgroup/memory/docker/1f", "/sys/fs/cgroup/memory/docker", "/sys/fs/cgroup/memory"}},
		"version 1, two controllers on one mount": {"9:cpu,cpuacct:/x\n", cpuMount + memoryMount, "cpu", 1, []string{"/sys/fs/cgroup/cpu,cpuacct/x", "/sys/fs/cgroup/cpu,cpuacct"}},
		"version 1, cpuset is not cpu":            {"9:cpuset:/x\n", "32 31 0:29 / /c rw - cgroup cgroup rw,cpuset\n", "cpu", 1, nil},
		"version 1 in a container without a view of its own": {"4:memory:/docker/1f\n", "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "memory", 1,
			[]string{"/sys/fs/cgroup/memory"}},
		"below a container's group": {"4:memory:/docker/1f/in\n", "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "memory", 1,
			[]string{"/sys/fs/cgroup/memory/in", "/sys/fs/cgroup/memory"}},
		"a name that only begins alike": {"4:memory:/docker/1fe\n", "35 31 0:32 /docker/1f /m ro - cgroup cgroup rw,memory\n", "memory", 1, []string{"/m"}},
		"outside of the view":           {"0::/../other\n", v2Mount, "memory", 2, []string{"/sys/fs/cgroup"}},
		"hybrid, controller in 1":       {"4:memory:/m\n0::/u\n", memoryMount + strings.Replace(v2Mount, "/sys/fs/cgroup ", "/sys/fs/cgroup/unified ", 1), "memory", 1, []string{"/sys/fs/cgroup/memory/m", "/sys/fs/cgroup/memory"}},
		"hybrid, controller in 2":       {"4:memory:/m\n0::/u\n", memoryMount + v2Mount, "cpu", 2, []string{"/sys/fs/cgroup/u", "/sys/fs/cgroup"}},
		"version 1 that is not mounted": {"4:memory:/m\n0::/u\n", v2Mount, "memory", 2, []string{"/sys/fs/cgroup/u", "/sys/fs/cgroup"}},
		"two mounts, the second has it": {"4:memory:/a/b\n", "1 1 0:1 /z /z rw - cgroup cgroup rw,memory\n2 1 0:1 /a /a rw - cgroup cgroup rw,memory\n", "memory", 1, []string{"/a/b", "/a"}},
		"a mount with a space":          {"0::/x\n", "30 23 0:26 / /sys/my\\040groups rw - cgroup2 cgroup2 rw\n", "cpu", 2, []string{"/sys/my groups/x", "/sys/my groups"}},
		"garbage":                       {"\x00\n::\n0:\nx:y\n4:memory:relative\n", "-\n - \na b c d e - f\n", "memory", 0, nil},
		"nothing":                       {"", "", "memory", 0, nil},
		"nothing mounted":               {"0::/x\n", "", "memory", 0, nil},
	} {
		root := tree.Make(t, map[string]string{"proc/self/cgroup": k.cgroup, "proc/self/mountinfo": k.mounts})
		var got []string
		for _, g := range Of(root, k.controller) {
			got = append(got, g.Dir)
			if g.Version != k.version {
				t.Errorf("%s: version %d, want %d", name, g.Version, k.version)
			}
		}
		if !slices.Equal(got, k.want) {
			t.Errorf("%s: %q, want %q", name, got, k.want)
		}
	}
	if got := Of(t.TempDir(), "memory"); got != nil {
		t.Errorf("without proc: %v", got)
	}
	deep := tree.Make(t, map[string]string{"proc/self/cgroup": "0::" + strings.Repeat("/a", 10000) + "\n", "proc/self/mountinfo": v2Mount})
	if got := Of(deep, "memory"); len(got) != most {
		t.Errorf("%d groups of a path without end", len(got))
	}
}

func TestNumbers(t *testing.T) {
	root := tree.Make(t, map[string]string{
		"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount,
		"sys/fs/cgroup/a": "12\n", "sys/fs/cgroup/b": "max\n", "sys/fs/cgroup/c": "-1\n", "sys/fs/cgroup/d": "99999999999999999999\n", "sys/fs/cgroup/e": "",
		"sys/fs/cgroup/stat": "anon 5\nfile x\nbad\ninactive_file 7\nnegative -3\n",
	})
	g := Of(root, "memory")[0]
	for name, want := range map[string]int64{"a": 12, "b": -1, "c": -1, "d": -1, "e": -1, "absent": -1} {
		if n, ok := g.Number(name); ok != (want >= 0) || ok && n != want {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
	if s := g.Stat("stat"); len(s) != 2 || s["anon"] != 5 || s["inactive_file"] != 7 {
		t.Errorf("stat: %v", s)
	}
}
