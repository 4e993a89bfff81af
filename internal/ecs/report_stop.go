package ecs

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The texts of tasks that end by themselves, as ECS says them.
const (
	reasonEssentialExited = "Essential container in task exited"
	reasonNotStarted      = "Task failed to start"
)

// ending makes STOPPED the desired status of a task that ends by itself. Who asked for a stop before keeps the word.
func (w *reported) ending(reason string) {
	code, text := w.cause(reason)
	if code == types.TaskStopCodeEssentialContainerExited {
		w.ranUnseen()
	}
	if w.task.Stop(w.now, code, text) {
		w.changed, w.asked = true, true
	}
}

// stopped ends the task for good.
func (w *reported) stopped(reason string) {
	w.ending(reason)
	for i := range w.task.Containers {
		if c := &w.task.Containers[i]; c.LastStatus == Running || c.RuntimeID != "" {
			c.LastStatus = Stopped // a container that was never made stays PENDING, as on ECS
		}
	}
	w.first(&w.task.ExecutionStoppedAt, &w.now)
	w.first(&w.task.StoppedAt, &w.now)
	w.moved = w.task.Advance(Stopped)
	w.changed = true
}

// cause derives the stop code and the stopped reason: agents send none. A task that ran ended with its essential container, or for what the agent says
// of the whole task (it has outgrown its storage); one that never did has failed to start if the agent named a failure, and else has run and ended
// between two reports.
func (w *reported) cause(reason string) (types.TaskStopCode, string) {
	if w.task.StartedAt != nil {
		if reason != "" {
			return types.TaskStopCodeEssentialContainerExited, reason
		}
		return types.TaskStopCodeEssentialContainerExited, reasonEssentialExited
	}
	if reason != "" {
		return types.TaskStopCodeTaskFailedToStart, reason
	}
	if failure := w.failure(); failure != "" {
		return types.TaskStopCodeTaskFailedToStart, failure
	}
	for _, c := range w.task.Containers {
		if w.ran || c.ExitCode != nil || c.LastStatus == Running || c.RuntimeID != "" && c.LastStatus == Stopped {
			return types.TaskStopCodeEssentialContainerExited, reasonEssentialExited
		}
	}
	return types.TaskStopCodeTaskFailedToStart, reasonNotStarted
}

// failure is the reason of the container that could not be started: an essential one before the others.
func (w *reported) failure() string {
	other := ""
	for _, c := range w.task.Containers {
		switch {
		case !c.failedToStart():
		case w.essential(c.Name):
			return c.Reason
		case other == "":
			other = c.Reason
		}
	}
	return other
}

// failedToStart tells a container that never ran from one that ran and ended with a reason (OutOfMemoryError). The agent makes up an exit
// code for a container that cannot start because of another (agent-protocol.md 2.3).
func (c *Container) failedToStart() bool {
	return c.LastStatus == Stopped && c.Reason != "" && (c.ExitCode == nil || strings.HasPrefix(c.Reason, "Cannot"))
}

// ranUnseen gives a task that ran and ended between two reports the time from which it can have run.
func (w *reported) ranUnseen() {
	if w.task.StartedAt != nil {
		return
	}
	for _, at := range []*time.Time{w.task.PullStoppedAt, w.task.ExecutionStoppedAt, &w.now} {
		w.first(&w.task.StartedAt, at)
	}
}
