// Package machine is what an agent needs of the Linux machine below its containers: control groups with their limits and use, and who
// else holds the agent's ports.
package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// Groups keeps the tasks' control groups, on cgroup v1 and v2, with the engine's driver cgroupfs or systemd. It implements agent.Groups.
type Groups struct {
	root         string
	unified      bool // cgroup v2
	installation string
	driver       func(context.Context) (string, error)
	slices       slices

	mu     sync.Mutex // one group is made at a time: they share parents
	chosen string     // the driver, "" before it is known
}

var _ agent.Groups = (*Groups)(nil)

// slices are systemd's: the groups of a machine whose engine uses systemd.
type slices interface {
	// Set makes a slice with its limits, or sets them.
	Set(ctx context.Context, name string, l limits) error
	// Stop ends a slice. One that does not exist is no error.
	Stop(ctx context.Context, name string) error
}

// OpenGroups returns the groups below root, usually /sys/fs/cgroup. driver tells the engine's cgroup driver, and is asked until it
// answers once. An error says that this process cannot make groups: tasks then run without limits of their own.
func OpenGroups(root, installation string, driver func(context.Context) (string, error)) (*Groups, error) {
	g := &Groups{root: root, installation: plain(installation), driver: driver, slices: systemd{}}
	_, err := os.Stat(filepath.Join(root, "cgroup.controllers"))
	g.unified = err == nil
	probe := "memory"
	if g.unified {
		probe = ""
	}
	if err := writable(filepath.Join(root, probe)); err != nil {
		return nil, fmt.Errorf("control groups cannot be made here: %w", err)
	}
	return g, nil
}

// Ensure implements agent.Groups.
func (g *Groups) Ensure(ctx context.Context, group agent.Group) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.chosen == "" {
		d, err := g.driver(ctx)
		if err != nil {
			return "", fmt.Errorf("ask for the engine's cgroup driver: %w", err)
		}
		g.chosen = d
	}
	l := limitsOf(group)
	if g.chosen == "systemd" {
		return g.slice(group), g.ensureSlice(ctx, group, l)
	}
	path := g.path(group)
	if g.unified {
		return path, g.ensureUnified(path, l)
	}
	return path, g.ensureV1(path, l)
}

// ensureSlice makes systemd's slice. On cgroup v1 systemd does not bound swap, and leaves alone what it does not know.
func (g *Groups) ensureSlice(ctx context.Context, group agent.Group, l limits) error {
	if err := g.slices.Set(ctx, g.slice(group), l); err != nil || g.unified || !l.noSwap {
		return err
	}
	return noSwapV1(filepath.Join(g.tree("memory"), g.slicePath(group)), l)
}

// Remove implements agent.Groups. Groups go with their task, and the instance's when it is empty.
func (g *Groups) Remove(ctx context.Context, group agent.Group) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := os.Stat(filepath.Join(g.tree("memory"), g.slicePath(group))); err == nil {
		return g.slices.Stop(ctx, g.slice(group))
	}
	for _, tree := range g.trees() {
		dir := filepath.Join(tree, g.path(group))
		if err := removeGroup(dir); err != nil {
			return fmt.Errorf("remove control group: %w", err)
		}
		os.Remove(filepath.Dir(dir)) //nolint:errcheck // other tasks are in it
	}
	return nil
}

// removeGroup removes a group with the groups and processes in it: an engine that was killed while it started a container has left that one's, and does not know
// them any more. One that does not exist is no error.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := removeGroup(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	ended := endProcesses(dir)
	err = os.Remove(dir)
	for n := 0; n < 50 && ended && errors.Is(err, unix.EBUSY); n++ { // they need a moment
		time.Sleep(10 * time.Millisecond)
		err = os.Remove(dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// endProcesses kills the processes of a group. It says whether there were any.
func endProcesses(dir string) (ended bool) {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return false // the group's removal says why
	}
	for word := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil && pid > 1 {
			_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
			ended = true
		}
	}
	return ended
}

// path is a task's group as the engine knows it with the driver cgroupfs.
func (g *Groups) path(group agent.Group) string {
	return "/ecs/" + g.installation + "-" + plain(group.Instance) + "/" + plain(group.Task)
}

// slice is a task's group as systemd knows it. Dashes nest slices, so the names between them have none.
func (g *Groups) slice(group agent.Group) string {
	return "ecstasks-" + g.owner(group) + "-" + strings.ReplaceAll(plain(group.Task), "-", "_") + ".slice"
}

func (g *Groups) owner(group agent.Group) string {
	return strings.ReplaceAll(g.installation+"_"+plain(group.Instance), "-", "_")
}

// slicePath is where systemd puts that slice.
func (g *Groups) slicePath(group agent.Group) string {
	return "/ecstasks.slice/ecstasks-" + g.owner(group) + ".slice/" + g.slice(group)
}

// tree is the directory of a controller's hierarchy.
func (g *Groups) tree(controller string) string {
	if g.unified {
		return g.root
	}
	return filepath.Join(g.root, controller)
}

// trees are all hierarchies in which the engine makes groups below ours.
func (g *Groups) trees() (list []string) {
	if g.unified {
		return []string{g.root}
	}
	entries, err := os.ReadDir(g.root)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, filepath.Join(g.root, e.Name()))
		}
	}
	return list
}

// plain makes a name one element of a path.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, name)
}

// writable tries to make a group.
func writable(dir string) error {
	probe, err := os.MkdirTemp(dir, "berth-probe-")
	if err != nil {
		return err
	}
	return os.Remove(probe)
}
