package ecstest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/mem"
)

// watcher follows the commits from outside all replicas and holds them to the invariants of the design.
type watcher struct {
	store *state.Store
	began time.Time

	mu         sync.Mutex
	trace      []string
	violations []string
	services   map[arn.Service]*ecs.Service
	tasks      map[arn.Task]*ecs.Task
	instances  map[arn.Instance]*ecs.Instance
	rollouts   map[string]*ecs.ServiceDeployment
	settings   map[types.SettingName]*ecs.AccountSetting
	cluster    *ecs.Cluster
	completed  map[string]arn.TaskDefinition // deployments that were rolled out whole, with their definitions
	batch      batch
	highest    uint64 // commit
	changed    chan struct{}
}

// aloof is a backend that never leads.
type aloof struct{ *mem.Backend }

func (aloof) Campaign(ctx context.Context, _ string) (state.Term, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func newWatcher(cluster *mem.Cluster) *watcher {
	return &watcher{
		store: state.New(state.Config{Backend: aloof{cluster.Backend()}, Address: "watcher"}), began: time.Now(),
		services: map[arn.Service]*ecs.Service{}, tasks: map[arn.Task]*ecs.Task{}, instances: map[arn.Instance]*ecs.Instance{},
		rollouts: map[string]*ecs.ServiceDeployment{}, settings: map[types.SettingName]*ecs.AccountSetting{}, cluster: &ecs.Cluster{},
		completed: map[string]arn.TaskDefinition{}, changed: make(chan struct{}),
	}
}

func (w *watcher) run(ctx context.Context) error {
	sub := w.store.Subscribe()
	defer sub.Close()
	return together(ctx, w.store.Run, func(ctx context.Context) error {
		for {
			b, err := sub.Next(ctx)
			if err != nil {
				return nil //nolint:nilerr // the run is over
			}
			w.mu.Lock()
			w.batch = batch{before: map[string]ecs.Record{}}
			for _, c := range b.Changes {
				w.change(c)
			}
			w.judge()
			w.highest = b.N
			close(w.changed)
			w.changed = make(chan struct{})
			w.mu.Unlock()
		}
	})
}

// say adds a line to the trace. The caller holds mu.
func (w *watcher) say(format string, a ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%9.3f ", time.Since(w.began).Seconds())+fmt.Sprintf(format, a...))
}

func (w *watcher) note(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say(format, a...)
}

// violated records a broken invariant. The caller holds mu.
func (w *watcher) violated(invariant, format string, a ...any) {
	text := invariant + ": " + fmt.Sprintf(format, a...)
	w.say("VIOLATED %s", text)
	w.violations = append(w.violations, text)
}

func (w *watcher) wrong(invariant, format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violated(invariant, format, a...)
}

func (w *watcher) change(c state.Change) {
	w.batch.note(c)
	switch r := c.Record().(type) {
	case *ecs.Service:
		if c.New == nil {
			delete(w.services, r.ServiceArn)
			return
		}
		w.say("service %s %s desired %d, %d deployments", r.ServiceArn.Name(), r.Status, r.DesiredCount, len(r.Deployments))
		w.service(w.services[r.ServiceArn], r)
	case *ecs.Instance:
		if c.New == nil {
			delete(w.instances, r.ContainerInstanceArn)
			return
		}
		w.say("instance %s %s connected %v", r.ContainerInstanceArn.ID()[:8], r.Status, r.Connected)
		w.instances[r.ContainerInstanceArn] = r
	case *ecs.Event:
		if c.New != nil {
			w.say("event %s", r.Message)
		}
	case *ecs.Task:
		if c.New == nil {
			delete(w.tasks, r.TaskArn)
			return
		}
		w.task(w.tasks[r.TaskArn], r)
	default:
		w.changeOther(c)
	}
}

// task checks one change of a task against I1 to I4.
func (w *watcher) task(old, t *ecs.Task) {
	id := t.TaskArn.ID()[:8]
	w.tasks[t.TaskArn] = t
	if old == nil {
		w.say("task %s %s on %s for %s", id, t.LastStatus, t.ContainerInstanceArn.ID()[:8], t.Group)
		w.room(t)
		w.atMost(t)
		w.batch.placed = append(w.batch.placed, t)
		return
	}
	if old.LastStatus != t.LastStatus || old.DesiredStatus != t.DesiredStatus {
		w.say("task %s %s/%s to %s/%s %s", id, old.LastStatus, old.DesiredStatus, t.LastStatus, t.DesiredStatus, t.StoppedReason)
	}
	if old.LastStatus.After(t.LastStatus) {
		w.violated("I2", "task %s went from %s back to %s", id, old.LastStatus, t.LastStatus)
	}
	if old.DesiredStatus == ecs.Stopped && t.DesiredStatus != ecs.Stopped {
		w.violated("I2", "task %s should run again", id)
	}
	if old.Over() && (t.ContainerInstanceArn != old.ContainerInstanceArn || t.StoppedReason != old.StoppedReason) {
		w.violated("I2", "task %s changed after it had stopped", id)
	}
	if t.LastStatus == ecs.Running && old.LastStatus != ecs.Running {
		w.room(t)
	}
	if old.DesiredStatus != ecs.Stopped && t.DesiredStatus == ecs.Stopped {
		w.atLeast(old, t)
		w.batch.stopped = append(w.batch.stopped, t)
	}
}

// room checks that the instance of a task is not overbooked (I3).
func (w *watcher) room(t *ecs.Task) {
	i := w.instances[t.ContainerInstanceArn]
	if i == nil {
		w.violated("I3", "task %s is on an instance that is not there", t.TaskArn.ID()[:8])
		return
	}
	cpu, mib, ports := 0, 0, map[int32]arn.Task{}
	for _, x := range w.tasks {
		if x.ContainerInstanceArn != t.ContainerInstanceArn || x.Over() {
			continue
		}
		cpu, mib = cpu+x.Reserved.CPUUnits, mib+x.Reserved.MemoryMiB
		for _, p := range x.Reserved.PortsTCP {
			if other, taken := ports[p]; taken && other != x.TaskArn {
				w.violated("I3", "port %d of instance %s is held twice", p, i.ContainerInstanceArn.ID()[:8])
			}
			ports[p] = x.TaskArn
		}
	}
	if cpu > i.Registered.CPUUnits || mib > i.Registered.MemoryMiB {
		w.violated("I3", "instance %s holds %d of %d CPU units, %d of %d MiB", i.ContainerInstanceArn.ID()[:8], cpu, i.Registered.CPUUnits, mib, i.Registered.MemoryMiB)
	}
}

// percents are a service's bounds in tasks.
func percents(s *ecs.Service) (least, most int) {
	low, high := 100, 200
	if c := s.DeploymentConfiguration; c != nil {
		if c.MinimumHealthyPercent != nil {
			low = int(*c.MinimumHealthyPercent)
		}
		if c.MaximumPercent != nil {
			high = int(*c.MaximumPercent)
		}
	}
	return (s.DesiredCount*low + 99) / 100, s.DesiredCount * high / 100
}

// atMost checks that a new task is not one too many (I4).
func (w *watcher) atMost(t *ecs.Task) {
	s := w.services[t.Service]
	if s == nil || s.IsDaemon() || s.IsExternal() { // whose desired count is that of the instances, or bounds each task set: judge
		return
	}
	n := 0
	for _, x := range w.tasks {
		if x.Service == t.Service && !x.LastStatus.After(ecs.Running) {
			n++
		}
	}
	if _, most := percents(s); n > most {
		w.violated("I4", "service %s has %d tasks, maximumPercent allows %d", s.ServiceArn.Name(), n, most)
	}
}

// atLeast checks that the scheduler did not stop a healthy task that was needed (I4).
func (w *watcher) atLeast(old, t *ecs.Task) {
	s := w.services[t.Service]
	if s == nil || s.Status != ecs.Active || s.IsDaemon() || s.IsExternal() || t.StopCode != types.TaskStopCodeServiceSchedulerInitiated || !old.Healthy() {
		return
	}
	n := 0
	for _, x := range w.tasks {
		if x.Service == t.Service && x.DesiredStatus == ecs.Running && x.Healthy() {
			n++
		}
	}
	if least, _ := percents(s); n < least {
		w.violated("I4", "service %s has %d healthy tasks after stopping %s, minimumHealthyPercent asks for %d", s.ServiceArn.Name(), n, t.TaskArn.ID()[:8], least)
	}
}

// await waits until ok is true of what is committed, and reports whether it became so in time.
func (w *watcher) await(ctx context.Context, ok func() bool) bool {
	for {
		w.mu.Lock()
		done, changed := ok(), w.changed
		w.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (w *watcher) text() string { return strings.Join(w.trace, "\n") + "\n" }
