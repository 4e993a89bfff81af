package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Report is what an agent says of one task. Reports may be late, repeated, out of order, or leave out what lay between.
type Report struct {
	Status             TaskStatus // PENDING, RUNNING or STOPPED; "" where it speaks only of containers
	Reason             string     // what failed for the whole task: its secrets, its volumes
	Containers         []ContainerReport
	PullStartedAt      *time.Time
	PullStoppedAt      *time.Time
	ExecutionStoppedAt *time.Time
	Attached           bool // the task has its network interface
}

// ContainerReport is what an agent says of one container. The same container may be in one report several times: in order.
type ContainerReport struct {
	Name            string
	Status          TaskStatus
	RuntimeID       string
	ImageDigest     string
	ExitCode        *int32
	Reason          string
	NetworkBindings []types.NetworkBinding
}

// Report takes a report into the task and returns a changed copy, or t itself where the report says nothing new. d is the task's definition,
// nil if it is not known any more. Statuses only move forward (I2), and a stopped task stays as it is (I1).
func (t *Task) Report(r Report, d *TaskDefinition, now time.Time) *Task {
	if t.Over() {
		return t
	}
	w := &reported{task: t.Clone(), definition: d, now: now}
	for i := range r.Containers {
		w.container(&r.Containers[i])
	}
	if r.Attached || r.Status == Running { // an agent that does not say it has it when the task runs
		w.attached()
	}
	w.first(&w.task.PullStartedAt, r.PullStartedAt)
	w.first(&w.task.PullStoppedAt, r.PullStoppedAt)
	w.first(&w.task.ExecutionStoppedAt, r.ExecutionStoppedAt)
	w.status(r.Status, r.Reason)
	if !w.changed {
		return t
	}
	if w.moved || w.news && !w.asked && w.task.LastStatus == Running {
		w.task.Version++
	}
	return w.task
}

// reported is a task that takes in a report.
type reported struct {
	task       *Task
	definition *TaskDefinition
	now        time.Time
	changed    bool
	moved      bool // the task's own status moved
	news       bool // a container's status moved
	ran        bool // a container ran, then or now
	asked      bool // the report made STOPPED the desired status
}

// attached records that the task has its network interface, from when on it is PENDING.
func (w *reported) attached() {
	if w.task.Attach(w.now) {
		w.changed, w.moved = true, true
		w.task.Advance(Pending)
	}
}

// status moves the task's own status.
func (w *reported) status(s TaskStatus, reason string) {
	if s == Stopped {
		w.stopped(reason)
		return
	}
	if s != "" && w.task.Advance(s) {
		w.changed, w.moved = true, true
		if s == Running {
			w.first(&w.task.StartedAt, &w.now)
		}
	}
	if w.essentialEnded() {
		w.ending(reason)
	}
}

// first keeps the first time that is told. No time lies after now, whatever the agent's clock says.
func (w *reported) first(at **time.Time, told *time.Time) {
	if *at != nil || told == nil {
		return
	}
	when := told.UTC().Truncate(time.Millisecond)
	if when.After(w.now) {
		when = w.now
	}
	*at = &when
	w.changed = true
}

// container takes in what is said of one container. A name that the definition does not have is left out.
func (w *reported) container(r *ContainerReport) {
	c := w.find(r.Name)
	if c == nil {
		return
	}
	w.ran = w.ran || c.LastStatus == Running || r.Status == Running
	if r.Status.After(c.LastStatus) {
		c.LastStatus = r.Status
		w.changed, w.news = true, true
	}
	w.text(&c.RuntimeID, r.RuntimeID)
	w.text(&c.ImageDigest, r.ImageDigest)
	w.text(&c.Reason, r.Reason)
	if c.ExitCode == nil && r.ExitCode != nil {
		code := *r.ExitCode
		c.ExitCode, w.changed = &code, true
	}
	if len(c.NetworkBindings) == 0 && len(r.NetworkBindings) > 0 {
		c.NetworkBindings, w.changed = slices.Clone(r.NetworkBindings), true
		w.task.Reserved.bind(r.NetworkBindings)
	}
}

// text keeps the first text that is told.
func (w *reported) text(is *string, told string) {
	if *is == "" && told != "" {
		*is, w.changed = told, true
	}
}

// find returns the task's container of that name, nil if it has none. The first report makes the task's containers, in the definition's order.
func (w *reported) find(name string) *Container {
	for i := range w.task.Containers {
		if w.task.Containers[i].Name == name {
			return &w.task.Containers[i]
		}
	}
	if w.definition == nil || w.definition.Container(name) == nil {
		return nil
	}
	defs := w.definition.Definition.ContainerDefinitions
	all := make([]Container, 0, len(defs))
	for i := range defs {
		if defs[i].Name == nil {
			continue
		}
		c := Container{Name: *defs[i].Name, LastStatus: Pending, HealthStatus: HealthUnknown}
		if k := slices.IndexFunc(w.task.Containers, func(o Container) bool { return o.Name == c.Name }); k >= 0 {
			c = w.task.Containers[k]
		}
		all = append(all, c)
	}
	w.task.Containers = all
	return w.find(name)
}

// essential reports whether the task ends with the container of that name.
func (w *reported) essential(name string) bool {
	if w.definition == nil {
		return true
	}
	c := w.definition.Container(name)
	return c != nil && (c.Essential == nil || *c.Essential)
}

// essentialEnded reports whether an essential container has stopped: the agent is going to stop the others, and then says that the task stopped.
func (w *reported) essentialEnded() bool {
	return slices.ContainsFunc(w.task.Containers, func(c Container) bool { return c.LastStatus == Stopped && w.essential(c.Name) })
}
