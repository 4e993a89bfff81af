package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"berth/internal/agent"
)

// period is the kernel's scheduling period for hard CPU limits, in microseconds.
const period = 100_000

// limits are a group's, in the kernel's units. Zero is no limit.
type limits struct {
	shares int64 // v1: 2 to 262144
	quota  int64 // microseconds in each period
	memory int64 // bytes
	noSwap bool  // with memory: nothing beyond it goes to swap
}

func limitsOf(g agent.Group) limits {
	return limits{shares: min(max(g.CPUShares, 2), 262144), quota: g.CPUUnits * period / 1024, memory: g.MemoryBytes,
		noSwap: g.NoSwap && g.MemoryBytes > 0}
}

// weight is the shares on cgroup v2's scale of 1 to 10000.
func (l limits) weight() int64 { return 1 + (l.shares-2)*9999/262142 }

// ensureV1 makes a group in the hierarchies that have limits, and writes them.
func (g *Groups) ensureV1(path string, l limits) error {
	memory, cpu := filepath.Join(g.root, "memory", path), filepath.Join(g.root, "cpu", path)
	for _, dir := range []string{memory, cpu} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make control group: %w", err)
		}
	}
	quota, bytes := int64(-1), int64(-1)
	if l.quota > 0 {
		quota = max(l.quota, 1000) // the kernel's least
	}
	if l.memory > 0 {
		bytes = l.memory
	}
	if err := hierarchical(memory); err != nil {
		return err
	}
	if err := write(file{memory, "memory.limit_in_bytes", fmt.Sprint(bytes)}); err != nil {
		return err
	}
	if err := noSwapV1(memory, l); err != nil {
		return err
	}
	return write(
		file{cpu, "cpu.shares", fmt.Sprint(l.shares)},
		file{cpu, "cpu.cfs_period_us", fmt.Sprint(period)},
		file{cpu, "cpu.cfs_quota_us", fmt.Sprint(quota)},
	)
}

// hierarchical has a group's limit hold for the groups in it. Kernels since 5.11 know nothing else.
func hierarchical(memory string) error {
	text, err := os.ReadFile(filepath.Join(memory, "memory.use_hierarchy"))
	if err != nil || strings.TrimSpace(string(text)) != "0" {
		return nil //nolint:nilerr // what cannot be read is not there
	}
	return write(file{memory, "memory.use_hierarchy", "1"})
}

// noSwapV1 bounds memory and swap together by the group's memory, or takes that bound away. A kernel that does not count swap is told to avoid it.
func noSwapV1(memory string, l limits) error {
	both := "memory.memsw.limit_in_bytes"
	if _, err := os.Stat(filepath.Join(memory, both)); err == nil {
		bytes := int64(-1)
		if l.noSwap {
			bytes = l.memory
		}
		return write(file{memory, both, fmt.Sprint(bytes)})
	}
	if l.noSwap {
		return write(file{memory, "memory.swappiness", "0"})
	}
	return nil
}

// noSwapUnified takes swap from a group, or gives it back. A kernel without swap has no file for it.
func noSwapUnified(dir string, l limits) error {
	if _, err := os.Stat(filepath.Join(dir, "memory.swap.max")); err != nil {
		return nil //nolint:nilerr // nothing goes to swap
	}
	bytes := "max"
	if l.noSwap {
		bytes = "0"
	}
	return write(file{dir, "memory.swap.max", bytes})
}

// ensureUnified makes a group in the one hierarchy, hands it the controllers, and writes the limits.
func (g *Groups) ensureUnified(path string, l limits) error {
	dir := filepath.Join(g.root, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make control group: %w", err)
	}
	for parent := g.root; ; { // from the root down: what a parent has not enabled, a child has not
		if err := write(file{parent, "cgroup.subtree_control", "+cpu +memory"}); err != nil {
			return err
		}
		rest := strings.Trim(strings.TrimPrefix(dir, parent), "/")
		if rest == "" {
			break
		}
		first, _, _ := strings.Cut(rest, "/")
		parent = filepath.Join(parent, first)
	}
	quota, bytes := "max", "max"
	if l.quota > 0 {
		quota = fmt.Sprint(max(l.quota, 1000))
	}
	if l.memory > 0 {
		bytes = fmt.Sprint(l.memory)
	}
	if err := noSwapUnified(dir, l); err != nil {
		return err
	}
	return write(
		file{dir, "memory.max", bytes},
		file{dir, "cpu.weight", fmt.Sprint(l.weight())},
		file{dir, "cpu.max", quota + " " + strconv.Itoa(period)},
	)
}

// file is a control file and what is written to it.
type file struct{ dir, name, text string }

func write(files ...file) error {
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(f.dir, f.name), []byte(f.text), 0o644); err != nil {
			return fmt.Errorf("set %s to %s: %w", f.name, f.text, err)
		}
	}
	return nil
}
