package docker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
)

// groups are the kernel's accounts of what processes use, where the engine reads them too: cgroups(7), version 1 or 2, below root, and proc(5).
type groups struct{ proc, root string }

// tick is the unit of proc(5)'s and cpuacct.stat's times: USER_HZ is 100 on x86 and ARM.
const tick = 10 * time.Millisecond

// measure says what the container of a process uses, in the engine's form: Docker Engine (seen of 20.10) says nothing at all of a container that has the network of
// one which has none of the engine's.
func (g groups) measure(pid int, s *container.StatsResponse) error {
	dir, err := g.of(pid)
	if err != nil {
		return err
	}
	f := files{dir: dir}
	if dir[""] != "" {
		f.unified(s)
	} else {
		f.v1(s)
	}
	g.machine(&f, s)
	if f.err != nil {
		return fmt.Errorf("read what process %d uses: %w", pid, f.err)
	}
	s.Read = time.Now().UTC()
	return nil
}

// of finds a process's group in each hierarchy of version 1, by controller, or in version 2's, by "".
func (g groups) of(pid int) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(g.proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return nil, err
	}
	dir := map[string]string{}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(part) != 3 {
			return nil, fmt.Errorf("/proc/%d/cgroup: unexpected line %q", pid, line)
		}
		for controller := range strings.SplitSeq(part[1], ",") {
			dir[controller] = filepath.Join(g.root, controller, part[2])
		}
	}
	if dir["memory"] != "" {
		delete(dir, "") // version 2 is there too, without controllers
	}
	return dir, nil
}

// files reads control files. One that is not there tells nothing: its controller is not switched on. err is the first other error.
type files struct {
	dir map[string]string
	err error
}

func (f *files) text(controller, name string) []byte {
	b, err := os.ReadFile(filepath.Join(f.dir[controller], name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.fail(err)
	}
	return b
}

func (f *files) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// number reads a file with one number, 0 for "max" and for nothing.
func (f *files) number(controller, name string) uint64 {
	text := string(bytes.TrimSpace(f.text(controller, name)))
	if text == "" || text == "max" {
		return 0
	}
	return f.parse(text)
}

func (f *files) parse(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		f.fail(err)
	}
	return n
}

// table reads lines of a name and a number.
func (f *files) table(controller, name string) map[string]uint64 {
	t := map[string]uint64{}
	for lines := bufio.NewScanner(bytes.NewReader(f.text(controller, name))); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), " "); ok {
			t[key] = f.parse(value)
		}
	}
	return t
}

func (f *files) v1(s *container.StatsResponse) {
	cpu, used, stat := f.table("cpu", "cpu.stat"), f.table("cpuacct", "cpuacct.stat"), f.table("memory", "memory.stat")
	s.CPUStats.CPUUsage = container.CPUUsage{
		TotalUsage: f.number("cpuacct", "cpuacct.usage"), UsageInKernelmode: used["system"] * uint64(tick), UsageInUsermode: used["user"] * uint64(tick),
	}
	for _, one := range strings.Fields(string(f.text("cpuacct", "cpuacct.usage_percpu"))) {
		s.CPUStats.CPUUsage.PercpuUsage = append(s.CPUStats.CPUUsage.PercpuUsage, f.parse(one))
	}
	s.CPUStats.ThrottlingData = container.ThrottlingData{Periods: cpu["nr_periods"], ThrottledPeriods: cpu["nr_throttled"], ThrottledTime: cpu["throttled_time"]}
	s.MemoryStats = container.MemoryStats{
		Usage: f.number("memory", "memory.usage_in_bytes"), MaxUsage: f.number("memory", "memory.max_usage_in_bytes"), Failcnt: f.number("memory", "memory.failcnt"),
		Limit: f.number("memory", "memory.limit_in_bytes"), Stats: stat,
	}
	s.PidsStats = container.PidsStats{Current: f.number("pids", "pids.current"), Limit: f.number("pids", "pids.max")}
	s.BlkioStats.IoServiceBytesRecursive = f.devices("blkio.throttle.io_service_bytes_recursive")
	s.BlkioStats.IoServicedRecursive = f.devices("blkio.throttle.io_serviced_recursive")
}

// devices reads lines of a device, an operation and a number, "8:0 Read 4096", and passes over the last, which is the sum of all devices.
func (f *files) devices(name string) []container.BlkioStatEntry {
	list := []container.BlkioStatEntry{}
	for lines := bufio.NewScanner(bytes.NewReader(f.text("blkio", name))); lines.Scan(); {
		if part := strings.Fields(lines.Text()); len(part) == 3 {
			list = append(list, f.entry(part[0], part[1], part[2]))
		}
	}
	return list
}

func (f *files) entry(device, operation, value string) container.BlkioStatEntry {
	major, minor, _ := strings.Cut(device, ":")
	return container.BlkioStatEntry{Major: f.parse(major), Minor: f.parse(minor), Op: operation, Value: f.parse(value)}
}

// operations are what the engine calls what io.stat counts. It tells of no others.
var operations = map[string]string{"rbytes": "read", "wbytes": "write"}

func (f *files) unified(s *container.StatsResponse) {
	const us = uint64(time.Microsecond)
	cpu := f.table("", "cpu.stat")
	s.CPUStats.CPUUsage = container.CPUUsage{TotalUsage: cpu["usage_usec"] * us, UsageInKernelmode: cpu["system_usec"] * us, UsageInUsermode: cpu["user_usec"] * us}
	s.CPUStats.ThrottlingData = container.ThrottlingData{Periods: cpu["nr_periods"], ThrottledPeriods: cpu["nr_throttled"], ThrottledTime: cpu["throttled_usec"] * us}
	s.MemoryStats = container.MemoryStats{
		Usage: f.number("", "memory.current"), Failcnt: f.table("", "memory.events")["oom"], Limit: f.number("", "memory.max"), Stats: f.table("", "memory.stat"),
	}
	s.PidsStats = container.PidsStats{Current: f.number("", "pids.current"), Limit: f.number("", "pids.max")}
	s.BlkioStats.IoServiceBytesRecursive = []container.BlkioStatEntry{}
	for lines := bufio.NewScanner(bytes.NewReader(f.text("", "io.stat"))); lines.Scan(); { // "8:0 rbytes=4096 wbytes=0 rios=1 ..."
		part := strings.Fields(lines.Text())
		for _, one := range part {
			key, value, _ := strings.Cut(one, "=")
			if operation := operations[key]; operation != "" {
				s.BlkioStats.IoServiceBytesRecursive = append(s.BlkioStats.IoServiceBytesRecursive, f.entry(part[0], operation, value))
			}
		}
	}
}

// machine adds what the whole machine has and uses. A container without a bound of its own has the machine's memory.
func (g groups) machine(f *files, s *container.StatsResponse) {
	own := files{dir: map[string]string{"": g.proc}}
	for line := range strings.Lines(string(own.text("", "stat"))) {
		part := strings.Fields(line)
		switch {
		case len(part) < 8 || !strings.HasPrefix(part[0], "cpu"):
		case part[0] == "cpu":
			for _, one := range part[1:8] { // user to softirq; what follows is counted in them, or the hypervisor's
				s.CPUStats.SystemUsage += own.parse(one) * uint64(tick)
			}
		default:
			s.CPUStats.OnlineCPUs++
		}
	}
	for line := range strings.Lines(string(own.text("", "meminfo"))) {
		if part := strings.Fields(line); len(part) == 3 && part[0] == "MemTotal:" {
			if total := own.parse(part[1]) << 10; s.MemoryStats.Limit == 0 || s.MemoryStats.Limit > total {
				s.MemoryStats.Limit = total
			}
		}
	}
	if own.err != nil {
		f.fail(own.err)
	}
}
