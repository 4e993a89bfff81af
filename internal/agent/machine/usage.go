package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"berth/internal/agent"
)

// Usage implements agent.Groups.
func (g *Groups) Usage(group agent.Group, containerID string) (u agent.Usage, err error) {
	path := filepath.Join(g.path(group), containerID)
	if _, err := os.Stat(filepath.Join(g.tree("memory"), path)); err != nil { // the engine uses systemd
		path = filepath.Join(g.slicePath(group), "docker-"+containerID+".scope")
	}
	if g.unified {
		return usageUnified(filepath.Join(g.root, path))
	}
	return usageV1(filepath.Join(g.root, "cpuacct", path), filepath.Join(g.root, "memory", path))
}

func usageV1(cpu, memory string) (u agent.Usage, err error) {
	nanoseconds, err := number(cpu, "cpuacct.usage")
	if err != nil {
		return u, err
	}
	used, err := number(memory, "memory.usage_in_bytes")
	if err != nil {
		return u, err
	}
	stat, err := table(memory, "memory.stat")
	if err != nil {
		return u, err
	}
	cache := stat["total_cache"] - stat["total_shmem"] // memory that a container shares is not a cache
	return agent.Usage{CPU: time.Duration(nanoseconds), MemoryBytes: max(used-cache, 0)}, nil
}

func usageUnified(dir string) (u agent.Usage, err error) {
	cpu, err := table(dir, "cpu.stat")
	if err != nil {
		return u, err
	}
	used, err := number(dir, "memory.current")
	if err != nil {
		return u, err
	}
	stat, err := table(dir, "memory.stat")
	if err != nil {
		return u, err
	}
	cache := stat["file"] - stat["shmem"]
	return agent.Usage{CPU: time.Duration(cpu["usage_usec"]) * time.Microsecond, MemoryBytes: max(used-cache, 0)}, nil
}

// number reads a control file that holds one number.
func number(dir, name string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, fmt.Errorf("read use: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return n, nil
}

// table reads a control file of lines "name number". Lines of another form are passed over.
func table(dir, name string) (map[string]int64, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("read use: %w", err)
	}
	return parseTable(text), nil
}

func parseTable(text []byte) map[string]int64 {
	t := map[string]int64{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		key, value, ok := strings.Cut(s.Text(), " ")
		if n, err := strconv.ParseInt(value, 10, 64); ok && err == nil {
			t[key] = n
		}
	}
	return t
}
