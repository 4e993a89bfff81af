package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"golang.org/x/tools/txtar"
)

const statMachine = `
-- proc/stat --
cpu  10 1 20 300 4 0 5 0 0 0
cpu0 5 1 10 150 2 0 3 0 0 0
cpu1 5 0 10 150 2 0 2 0 0 0
intr 12 3
-- proc/meminfo --
MemTotal:        1024 kB
MemFree:          100 kB
`

const statV1 = statMachine + `
-- proc/7/cgroup --
9:name=systemd:/ecs/c
8:pids:/ecs/c
5:memory:/ecs/c
4:cpu,cpuacct:/ecs/c
2:blkio:/ecs/c
0::/system.slice
-- cgroup/cpu/ecs/c/cpu.stat --
nr_periods 3
nr_throttled 2
throttled_time 1000
-- cgroup/cpuacct/ecs/c/cpuacct.usage --
45151107
-- cgroup/cpuacct/ecs/c/cpuacct.usage_percpu --
26420763 18730344 
-- cgroup/cpuacct/ecs/c/cpuacct.stat --
user 2
system 1
-- cgroup/memory/ecs/c/memory.usage_in_bytes --
4096
-- cgroup/memory/ecs/c/memory.max_usage_in_bytes --
8192
-- cgroup/memory/ecs/c/memory.limit_in_bytes --
9223372036854771712
-- cgroup/memory/ecs/c/memory.failcnt --
1
-- cgroup/memory/ecs/c/memory.stat --
cache 10
total_rss 20
-- cgroup/pids/ecs/c/pids.current --
6
-- cgroup/pids/ecs/c/pids.max --
max
-- cgroup/blkio/ecs/c/blkio.throttle.io_service_bytes_recursive --
8:16 Read 4096
8:16 Total 4096
Total 4096
`

const statV2 = statMachine + `
-- proc/7/cgroup --
0::/ecs.slice/docker-c.scope
-- cgroup/ecs.slice/docker-c.scope/cpu.stat --
usage_usec 45151
user_usec 20000
system_usec 10000
nr_periods 3
nr_throttled 2
throttled_usec 1
-- cgroup/ecs.slice/docker-c.scope/memory.current --
4096
-- cgroup/ecs.slice/docker-c.scope/memory.max --
65536
-- cgroup/ecs.slice/docker-c.scope/memory.events --
low 0
oom 1
-- cgroup/ecs.slice/docker-c.scope/memory.stat --
anon 10
file 20
-- cgroup/ecs.slice/docker-c.scope/pids.current --
6
-- cgroup/ecs.slice/docker-c.scope/pids.max --
100
-- cgroup/ecs.slice/docker-c.scope/io.stat --
8:16 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0
`

// unpack writes the files of an archive.
func unpack(t *testing.T, text string) groups {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(text)).Files {
		at := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return groups{filepath.Join(dir, "proc"), filepath.Join(dir, "cgroup")}
}

// TestMeasure: what the kernel accounts for is in the engine's form, and what is not there is nothing.
func TestMeasure(t *testing.T) {
	both := func(change func(*container.StatsResponse)) container.StatsResponse {
		s := container.StatsResponse{ID: "c", PidsStats: container.PidsStats{Current: 6}}
		s.CPUStats = container.CPUStats{SystemUsage: 3400000000, OnlineCPUs: 2, ThrottlingData: container.ThrottlingData{Periods: 3, ThrottledPeriods: 2, ThrottledTime: 1000}}
		s.CPUStats.CPUUsage.UsageInKernelmode, s.CPUStats.CPUUsage.UsageInUsermode = 10000000, 20000000
		s.MemoryStats = container.MemoryStats{Usage: 4096, Failcnt: 1}
		change(&s)
		return s
	}
	for name, x := range map[string]struct {
		files string
		want  container.StatsResponse
	}{
		"version 1": {statV1, both(func(s *container.StatsResponse) {
			s.CPUStats.CPUUsage.TotalUsage, s.CPUStats.CPUUsage.PercpuUsage = 45151107, []uint64{26420763, 18730344}
			s.MemoryStats.MaxUsage, s.MemoryStats.Limit, s.MemoryStats.Stats = 8192, 1<<20, map[string]uint64{"cache": 10, "total_rss": 20}
			s.BlkioStats.IoServiceBytesRecursive = []container.BlkioStatEntry{{Major: 8, Minor: 16, Op: "Read", Value: 4096}, {Major: 8, Minor: 16, Op: "Total", Value: 4096}}
			s.BlkioStats.IoServicedRecursive = []container.BlkioStatEntry{}
		})},
		"version 2": {statV2, both(func(s *container.StatsResponse) {
			s.CPUStats.CPUUsage.TotalUsage, s.PidsStats.Limit = 45151000, 100
			s.MemoryStats.Limit, s.MemoryStats.Stats = 65536, map[string]uint64{"anon": 10, "file": 20}
			s.BlkioStats.IoServiceBytesRecursive = []container.BlkioStatEntry{{Major: 8, Minor: 16, Op: "read", Value: 4096}, {Major: 8, Minor: 16, Op: "write"}}
		})},
	} {
		got := container.StatsResponse{ID: "c"}
		if err := unpack(t, x.files).measure(7, &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if time.Since(got.Read).Abs() > time.Minute {
			t.Errorf("%s: read at %v", name, got.Read)
		}
		got.Read = time.Time{}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestMeasureFails: a process that is gone and a file of another form are errors, and there is no sample then.
func TestMeasureFails(t *testing.T) {
	for name, x := range map[string]struct{ files, want string }{
		"gone":          {statMachine, "no such file"},
		"odd groups":    {statMachine + "\n-- proc/7/cgroup --\nnothing\n", "unexpected line"},
		"no number":     {strings.Replace(statV1, "45151107", "many", 1), `"many"`},
		"odd table":     {strings.Replace(statV2, "usage_usec 45151", "usage_usec -", 1), `"-"`},
		"odd device":    {strings.Replace(statV1, "8:16 Read", "disk Read", 1), `"disk"`},
		"odd machine":   {strings.Replace(statV2, "cpu  10", "cpu  ten", 1), `"ten"`},
		"odd processor": {strings.Replace(statV1, "26420763 18730344", "26420763 ?", 1), `"?"`},
	} {
		s := container.StatsResponse{}
		if err := unpack(t, x.files).measure(7, &s); err == nil || !strings.Contains(err.Error(), x.want) || !s.Read.IsZero() {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
}
