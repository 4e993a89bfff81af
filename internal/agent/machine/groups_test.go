package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/agent"
)

func driver(name string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return name, nil }
}

// fakeRoot makes a directory like the kernel's.
func fakeRoot(t *testing.T, unified bool) string {
	root := t.TempDir()
	dirs := []string{"memory", "cpu", "cpuacct", "pids"}
	if unified {
		dirs = nil
		if err := os.WriteFile(filepath.Join(root, "cgroup.controllers"), []byte("cpu memory pids"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range dirs {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// files reads the control files below a directory: "path: text", one a line.
func files(t *testing.T, root string) (list []string) {
	t.Helper()
	err := filepath.Walk(root, func(p string, i os.FileInfo, err error) error {
		if err != nil || i.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		if rel, _ := filepath.Rel(root, p); rel != "cgroup.controllers" {
			list = append(list, rel+": "+string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLimits(t *testing.T) {
	half := agent.Group{Instance: "one", Task: "abc", CPUShares: 512, CPUUnits: 512, MemoryBytes: 64 << 20}
	free := agent.Group{Instance: "one", Task: "abc", CPUShares: 2}
	for _, c := range []struct {
		name    string
		unified bool
		group   agent.Group
		want    []string
	}{
		{"v1", false, half, []string{"cpu/ecs/i-one/abc/cpu.cfs_period_us: 100000", "cpu/ecs/i-one/abc/cpu.cfs_quota_us: 50000",
			"cpu/ecs/i-one/abc/cpu.shares: 512", "memory/ecs/i-one/abc/memory.limit_in_bytes: 67108864"}},
		{"v1 without limits", false, free, []string{"cpu/ecs/i-one/abc/cpu.cfs_period_us: 100000", "cpu/ecs/i-one/abc/cpu.cfs_quota_us: -1",
			"cpu/ecs/i-one/abc/cpu.shares: 2", "memory/ecs/i-one/abc/memory.limit_in_bytes: -1"}},
		{"v2", true, half, []string{"cgroup.subtree_control: +cpu +memory", "ecs/cgroup.subtree_control: +cpu +memory",
			"ecs/i-one/abc/cgroup.subtree_control: +cpu +memory", "ecs/i-one/abc/cpu.max: 50000 100000", "ecs/i-one/abc/cpu.weight: 20",
			"ecs/i-one/abc/memory.max: 67108864", "ecs/i-one/cgroup.subtree_control: +cpu +memory"}},
		{"v2 without limits", true, free, []string{"cgroup.subtree_control: +cpu +memory", "ecs/cgroup.subtree_control: +cpu +memory",
			"ecs/i-one/abc/cgroup.subtree_control: +cpu +memory", "ecs/i-one/abc/cpu.max: max 100000", "ecs/i-one/abc/cpu.weight: 1",
			"ecs/i-one/abc/memory.max: max", "ecs/i-one/cgroup.subtree_control: +cpu +memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fakeRoot(t, c.unified)
			g, err := OpenGroups(root, "i", driver("cgroupfs"))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // again changes nothing
				parent, err := g.Ensure(context.Background(), c.group)
				if err != nil || parent != "/ecs/i-one/abc" {
					t.Fatalf("parent %q, %v", parent, err)
				}
			}
			if diff := cmp.Diff(c.want, files(t, root)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNoSwap makes a group whose memory must not go to swap, on kernels that count swap and on those that do not, and then one that may.
func TestNoSwap(t *testing.T) {
	group := agent.Group{Instance: "one", Task: "abc", CPUShares: 2, MemoryBytes: 64 << 20}
	v1, v2 := "memory/ecs/i-one/abc/", "ecs/i-one/abc/"
	for _, c := range []struct {
		name    string
		unified bool
		has     map[string]string // control files that the kernel makes
		no, may string
	}{
		{"v1", false, map[string]string{v1 + "memory.memsw.limit_in_bytes": "?", v1 + "memory.use_hierarchy": "0\n"},
			v1 + "memory.memsw.limit_in_bytes: 67108864, " + v1 + "memory.use_hierarchy: 1", v1 + "memory.memsw.limit_in_bytes: -1, " + v1 + "memory.use_hierarchy: 1"},
		{"v1 that does not count swap", false, map[string]string{v1 + "memory.swappiness": "60", v1 + "memory.use_hierarchy": "1\n"},
			v1 + "memory.swappiness: 0, " + v1 + "memory.use_hierarchy: 1\n", v1 + "memory.swappiness: 60, " + v1 + "memory.use_hierarchy: 1\n"},
		{"v2", true, map[string]string{v2 + "memory.swap.max": "?"}, v2 + "memory.swap.max: 0", v2 + "memory.swap.max: max"},
		{"v2 without swap", true, nil, "", ""},
	} {
		for _, no := range []bool{true, false} {
			t.Run(fmt.Sprint(c.name, no), func(t *testing.T) {
				root := fakeRoot(t, c.unified)
				for name, text := range c.has {
					path := filepath.Join(root, name)
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				g, err := OpenGroups(root, "i", driver("cgroupfs"))
				if err != nil {
					t.Fatal(err)
				}
				group, want := group, c.may
				if group.NoSwap = no; no {
					want = c.no
				}
				if _, err := g.Ensure(context.Background(), group); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, line := range files(t, root) {
					if name, _, _ := strings.Cut(line, ": "); c.has[name] != "" {
						got = append(got, line)
					} else if strings.Contains(name, "swap") {
						t.Errorf("made %s, which the kernel does not have", name)
					}
				}
				if got := strings.Join(got, ", "); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
}

// TestNoSwapSystemd: on v1 systemd leaves the bound to us, on v2 it has a property for it.
func TestNoSwapSystemd(t *testing.T) {
	root := fakeRoot(t, false)
	g, err := OpenGroups(root, "i", driver("systemd"))
	if err != nil {
		t.Fatal(err)
	}
	g.slices = &recorder{}
	group := agent.Group{Instance: "one", Task: "abc", MemoryBytes: 1 << 20, NoSwap: true}
	file := filepath.Join(root, "memory", g.slicePath(group), "memory.memsw.limit_in_bytes")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // as systemd does
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("?"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ensure(context.Background(), group); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "1048576" {
		t.Errorf("memory and swap are %q, %v", text, err)
	}
	for no, want := range map[bool]uint64{true: 0, false: ^uint64(0)} {
		for _, p := range properties(limits{memory: 1 << 20, noSwap: no}) {
			if p.Name == "MemorySwapMax" && p.Value.Value() != want {
				t.Errorf("%v: %v", no, p.Value)
			}
		}
	}
}

// recorder is systemd on paper.
type recorder struct{ said []string }

func (r *recorder) Set(_ context.Context, name string, l limits) error {
	r.said = append(r.said, fmt.Sprintf("set %s %+v", name, l))
	return nil
}

func (r *recorder) Stop(_ context.Context, name string) error {
	r.said = append(r.said, "stop "+name)
	return nil
}

func TestSystemd(t *testing.T) {
	root := fakeRoot(t, true)
	g, err := OpenGroups(root, "my-id", driver("systemd"))
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	g.slices = r
	group := agent.Group{Instance: "one", Task: "abc", CPUShares: 1024, MemoryBytes: 1 << 20}
	parent, err := g.Ensure(context.Background(), group)
	if err != nil || parent != "ecstasks-my_id_one-abc.slice" {
		t.Fatalf("parent %q, %v", parent, err)
	}
	if err := os.MkdirAll(filepath.Join(root, "ecstasks.slice/ecstasks-my_id_one.slice", parent), 0o755); err != nil { // as systemd does
		t.Fatal(err)
	}
	if err := g.Remove(context.Background(), group); err != nil {
		t.Fatal(err)
	}
	want := []string{"set ecstasks-my_id_one-abc.slice {shares:1024 quota:0 memory:1048576 noSwap:false}", "stop ecstasks-my_id_one-abc.slice"}
	if diff := cmp.Diff(want, r.said); diff != "" {
		t.Error(diff)
	}
}

func TestUsage(t *testing.T) {
	group := agent.Group{Instance: "one", Task: "abc"}
	for _, c := range []struct {
		name    string
		unified bool
		files   map[string]string
	}{
		{"v1", false, map[string]string{"cpuacct/ecs/i-one/abc/c1/cpuacct.usage": "1500000000\n", "memory/ecs/i-one/abc/c1/memory.usage_in_bytes": "5000\n",
			"memory/ecs/i-one/abc/c1/memory.stat": "cache 1\ntotal_cache 3000\ntotal_shmem 1000\n"}},
		{"v2", true, map[string]string{"ecs/i-one/abc/c1/cpu.stat": "usage_usec 1500000\nuser_usec 1\n", "ecs/i-one/abc/c1/memory.current": "5000\n",
			"ecs/i-one/abc/c1/memory.stat": "anon 1\nfile 3000\nshmem 1000\n"}},
		{"v2 with systemd", true, map[string]string{"ecstasks.slice/ecstasks-i_one.slice/ecstasks-i_one-abc.slice/docker-c1.scope/cpu.stat": "usage_usec 1500000\n",
			"ecstasks.slice/ecstasks-i_one.slice/ecstasks-i_one-abc.slice/docker-c1.scope/memory.current": "5000",
			"ecstasks.slice/ecstasks-i_one.slice/ecstasks-i_one-abc.slice/docker-c1.scope/memory.stat":    "file 3000\nshmem 1000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fakeRoot(t, c.unified)
			for name, text := range c.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			g, err := OpenGroups(root, "i", driver("cgroupfs"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Usage(group, "c1")
			if want := (agent.Usage{CPU: 1500 * time.Millisecond, MemoryBytes: 3000}); err != nil || got != want {
				t.Errorf("used %+v, %v; want %+v", got, err, want)
			}
			if _, err := g.Usage(group, "c2"); err == nil {
				t.Error("a container that is not there has used something")
			}
		})
	}
}

// TestKernel makes a real group where the machine lets us.
func TestKernel(t *testing.T) {
	g, err := OpenGroups("/sys/fs/cgroup", fmt.Sprint("test", os.Getpid()), driver("cgroupfs"))
	if err != nil {
		t.Skip("no control groups here:", err)
	}
	group := agent.Group{Instance: "one", Task: "abc", CPUShares: 512, CPUUnits: 512, MemoryBytes: 64 << 20}
	if _, err := g.Ensure(context.Background(), group); err != nil {
		t.Fatal(err)
	}
	limit := filepath.Join(g.tree("memory"), g.path(group), map[bool]string{true: "memory.max", false: "memory.limit_in_bytes"}[g.unified])
	if text, err := os.ReadFile(limit); err != nil || strings.TrimSpace(string(text)) != "67108864" {
		t.Errorf("the kernel has %q, %v", text, err)
	}
	for range 2 { // once more is no error
		if err := g.Remove(context.Background(), group); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Dir(limit)); !os.IsNotExist(err) {
		t.Errorf("the group is still there: %v", err)
	}
}

// TestKernelRemains: what a killed engine has left in a task's group goes with it, processes too.
func TestKernelRemains(t *testing.T) {
	g, err := OpenGroups("/sys/fs/cgroup", fmt.Sprint("test", os.Getpid()), driver("cgroupfs"))
	if err != nil {
		t.Skip("no control groups here:", err)
	}
	group := agent.Group{Instance: "one", Task: "remains", CPUShares: 512}
	if _, err := g.Ensure(context.Background(), group); err != nil {
		t.Fatal(err)
	}
	for _, tree := range g.trees() {
		if err := os.MkdirAll(filepath.Join(tree, g.path(group), "container", "inner"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sleeper := exec.Command("sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = sleeper.Wait() // it is killed
		close(ended)
	}()
	t.Cleanup(func() {
		_ = sleeper.Process.Kill() // it may have ended
		<-ended
	})
	in := filepath.Join(g.tree("memory"), g.path(group), "container", "inner")
	if err := os.WriteFile(filepath.Join(in, "cgroup.procs"), []byte(fmt.Sprint(sleeper.Process.Pid)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := g.Remove(context.Background(), group); err != nil {
		t.Error(err)
	}
	for _, tree := range g.trees() {
		if _, err := os.Stat(filepath.Join(tree, g.path(group))); !os.IsNotExist(err) {
			t.Errorf("it is still there in %s: %v", tree, err)
		}
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("a process of the group still runs")
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add([]byte("a 1\nb x\nc"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for k := range parseTable(text) {
			if !strings.Contains(string(text), k) {
				t.Errorf("key %q is not in the text", k)
			}
		}
	})
}
