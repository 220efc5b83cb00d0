package memory

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"retinago/internal/cgroup/tree"
)

const mb = 1 << 20

// system is a machine with 8000 MB, of which 6000 are available, and a process with 50 MB, 30 of them a file's.
var system = map[string]string{
	"proc/meminfo":     "MemTotal:        8192000 kB\nMemFree:          100000 kB\nMemAvailable:    6144000 kB\n",
	"proc/self/status": "Name:\tretinago\nVmHWM:\t   71680 kB\nVmRSS:\t   51200 kB\nRssAnon:\t   18432 kB\nRssFile:\t   30720 kB\nRssShmem:\t    2048 kB\n",
}

func v2(group string, files map[string]string) map[string]string {
	out := map[string]string{"proc/self/cgroup": "0::" + group + "\n", "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"}
	for k, v := range files {
		out["sys/fs/cgroup/"+k] = v
	}
	return out
}

func v1(group string, files map[string]string) map[string]string {
	out := map[string]string{"proc/self/cgroup": "4:memory:" + group + "\n0::/\n",
		"proc/self/mountinfo": "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"}
	for k, v := range files {
		out["sys/fs/cgroup/memory/"+k] = v
	}
	return out
}

func TestRoom(t *testing.T) {
	const none = "9223372036854771712\n"
	for name, k := range map[string]struct {
		files map[string]string
		want  int64 // MB
		by    string
	}{
		"no group":              {nil, 6000, "this machine"},
		"version 2":             {v2("/a", map[string]string{"a/memory.max": "629145600\n", "a/memory.current": "209715200\n"}), 400, "/sys/fs/cgroup/a"},
		"pages of files":        {v2("/a", map[string]string{"a/memory.max": "629145600\n", "a/memory.current": "209715200\n", "a/memory.stat": "anon 1\ninactive_file 52428800\nactive_file 41943040\nslab_reclaimable 10485760\n"}), 500, "/a"},
		"more files than usage": {v2("/a", map[string]string{"a/memory.max": "629145600\n", "a/memory.current": "1048576\n", "a/memory.stat": "inactive_file 52428800\n"}), 600, "/a"},
		"high":                  {v2("/a", map[string]string{"a/memory.max": "max\n", "a/memory.high": "314572800\n", "a/memory.current": "0\n"}), 300, "/a"},
		"max":                   {v2("/a", map[string]string{"a/memory.max": "max\n", "a/memory.high": "max\n", "a/memory.current": "4096\n"}), 6000, "this machine"},
		"used up":               {v2("/a", map[string]string{"a/memory.max": "104857600\n", "a/memory.current": "104857600\n"}), 0, "/a"},
		"above the limit":       {v2("/a", map[string]string{"a/memory.max": "104857600\n", "a/memory.current": "204857600\n"}), 0, "/a"},
		"the one above is less": {v2("/a/b", map[string]string{"a/b/memory.max": "1048576000\n", "a/b/memory.current": "0\n",
			"a/memory.max": "1048576000\n", "a/memory.current": "838860800\n"}), 200, "/sys/fs/cgroup/a"},
		"in a container":                  {v2("/", map[string]string{"memory.max": "629145600\n", "memory.current": "0\n"}), 600, "/sys/fs/cgroup"},
		"a limit above the machine's":     {v2("/a", map[string]string{"a/memory.max": "62914560000\n", "a/memory.current": "0\n"}), 6000, "this machine"},
		"no usage":                        {v2("/a", map[string]string{"a/memory.max": "629145600\n"}), 600, "/a"},
		"garbage":                         {v2("/a", map[string]string{"a/memory.max": "lots\n", "a/memory.current": "?\n", "a/memory.stat": "\x00"}), 6000, "this machine"},
		"no files":                        {v2("/a", nil), 6000, "this machine"},
		"version 1":                       {v1("/a", map[string]string{"a/memory.limit_in_bytes": "629145600\n", "a/memory.usage_in_bytes": "209715200\n", "a/memory.stat": "inactive_file 1\ntotal_inactive_file 52428800\ntotal_active_file 52428800\n"}), 500, "/sys/fs/cgroup/memory/a"},
		"version 1 without totals":        {v1("/a", map[string]string{"a/memory.limit_in_bytes": "629145600\n", "a/memory.usage_in_bytes": "209715200\n", "a/memory.stat": "inactive_file 52428800\n"}), 450, "/a"},
		"version 1, no limit":             {v1("/a", map[string]string{"a/memory.limit_in_bytes": none, "memory.limit_in_bytes": none, "a/memory.usage_in_bytes": "1\n"}), 6000, "this machine"},
		"version 1, above":                {v1("/a/b", map[string]string{"a/b/memory.limit_in_bytes": none, "a/memory.limit_in_bytes": "314572800\n", "a/memory.usage_in_bytes": "0\n", "a/memory.use_hierarchy": "1\n"}), 300, "/memory/a"},
		"version 1, above, not for those": {v1("/a/b", map[string]string{"a/b/memory.limit_in_bytes": none, "a/memory.limit_in_bytes": "314572800\n", "a/memory.use_hierarchy": "0\n"}), 6000, "this machine"},
		"version 1, above, out of sight":  {v1("/", map[string]string{"memory.limit_in_bytes": none, "memory.usage_in_bytes": "104857600\n", "memory.stat": "hierarchical_memory_limit 314572800\n"}), 200, "/sys/fs/cgroup/memory"},
	} {
		files := maps.Clone(system)
		maps.Copy(files, k.files)
		root := tree.Make(t, files)
		got := available(root)
		if got.Bytes/mb != k.want || !strings.HasSuffix(got.By, k.by) || got.Bytes < 1 {
			t.Errorf("%s: %d MB by %q, want %d by %q", name, got.Bytes/mb, got.By, k.want, k.by)
		}
		if all := forProcess(root); all.Bytes != got.Bytes+20*mb {
			t.Errorf("%s: the process can have %d bytes where %d are available and it holds 20 MB", name, all.Bytes, got.Bytes)
		}
	}
	if r := forProcess(t.TempDir()); r.Bytes != 0 || r.By != "" {
		t.Errorf("a system that does not report it: %+v", r)
	}
	if r := available(tree.Make(t, map[string]string{"proc/meminfo": "MemAvailable: x kB\n"})); r.Bytes != 0 {
		t.Errorf("garbage: %+v", r)
	}
}

func TestCheck(t *testing.T) {
	files := maps.Clone(system)
	maps.Copy(files, v2("/a", map[string]string{"a/memory.max": "629145600\n", "a/memory.current": "209715200\n"}))
	root := tree.Make(t, files)
	if err := check(root, "a network", 400*mb, "make it smaller"); err != nil {
		t.Error(err)
	}
	err := check(root, "a network", 400*mb+1, "make it smaller")
	if want := "a network takes 401 MB; not enough memory: 400 MB are available (the control group /sys/fs/cgroup/a); make it smaller"; !errors.Is(err, ErrShort) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := check(t.TempDir(), "a network", 1<<60, ""); err != nil {
		t.Errorf("on a system that does not report it: %v", err)
	}
}

// On this machine the numbers are known.
func TestRoomHere(t *testing.T) {
	a, r := available(root).Bytes, ForProcess()
	if Resident() == 0 {
		t.Skip("this system does not report memory")
	}
	if a <= 0 || r.Bytes <= 0 || r.By == "" {
		t.Errorf("%d bytes are available, the process can have %+v", a, r)
	}
}
