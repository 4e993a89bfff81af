// Package deployment decides what a service starts and stops next: rolling updates within minimumHealthyPercent and maximumPercent, the
// circuit breaker with its rollback, throttled starts, draining, and what the service's events say. It is pure: a View in, a Plan out.
package deployment

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// View is what a decision looks at. Its cost is that of what the decision changes: sums and iterators, never all tasks of a service.
type View struct {
	Service *ecs.Service
	// Counts are the sums of a deployment's tasks.
	Counts func(deployment string) ecs.Counts
	// Wanted yields a deployment's tasks that should run, in the order in which they would be stopped: not running yet, unhealthy, the youngest,
	// and last those that run under protection, by its end.
	Wanted func(deployment string) iter.Seq[*ecs.Task]
	// ScaleIn yields the healthy tasks of a deployment that nobody protects in the order in which n of them should stop where it has too many. nil:
	// the order of Wanted.
	ScaleIn func(deployment string, n int) iter.Seq[*ecs.Task]
	// Ended yields the service's stopped tasks that no counter has yet.
	Ended iter.Seq[*ecs.Task]
	// Leaving yields the service's tasks that should run, but on container instances that are draining.
	Leaving iter.Seq[*ecs.Task]
	// Zones is nil where nothing is known of availability zones; they are not balanced then.
	Zones *Zones
	// Daemon is set for a service of strategy DAEMON only.
	Daemon *Daemon
	// Budget is how many task records the plan may touch at most. What is left over waits for the next decision (Plan.More).
	Budget int
}

// Plan is what to do now. Applying it and deciding again leads to an empty plan unless something changed.
type Plan struct {
	Service *ecs.Service   // the changed record, nil if it stays as it is
	Start   int            // tasks of the primary deployment to start, as far as they can be placed
	On      []arn.Instance // where they start, of strategy DAEMON; nil: where placement wants them
	Ahead   int            // how many more would start now if the budget were greater
	Sick    int            // how many of those that start replace unhealthy ones
	Sets    []SetStart     // which task sets' tasks to start, of a service with the deployment controller EXTERNAL
	Balance *Balance       // nil: nothing. The service's Surge is to say how many were started
	Stop    []Stop
	Counted []arn.Task // ended tasks that are in the deployments' counters now
	Events  []string   // texts of service events, oldest first
	More    bool       // the budget is used up: decide again at once
	Again   time.Time  // decide again then at the latest; zero: only when something changes
}

// Stop is a task to stop and why. Pending: it does not run yet.
type Stop struct {
	Task    arn.Task
	Reason  string
	Pending bool
}

// SetStart is how many tasks of a task set start; Ahead and Sick are as in Plan.
type SetStart struct {
	TaskSet            string
	Start, Ahead, Sick int
}

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool {
	return p.Service == nil && p.Start == 0 && len(p.Sets) == 0 && p.Balance == nil && len(p.Stop) == 0 && len(p.Counted) == 0 && len(p.Events) == 0
}

// String reads like "start 2; stop t3 (Scaling activity ...); deployments ecs-svc/1 PRIMARY IN_PROGRESS".
func (p Plan) String() string {
	var parts []string
	say := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	for _, t := range p.Counted {
		say("count %s", t.ID())
	}
	if p.Start > 0 {
		say("start %d", p.Start)
	}
	for _, set := range p.Sets {
		say("start %d of %s", set.Start, set.TaskSet)
	}
	if b := p.Balance; b != nil {
		say("start %d beyond in %v", b.Most, b.Zones)
	}
	for _, s := range p.Stop {
		say("stop %s (%s)", s.Task.ID(), s.Reason)
	}
	if p.Service != nil {
		for _, d := range p.Service.Deployments {
			say("deployment %s %s %s desired %d failed %d", d.ID, d.Status, d.RolloutState, d.DesiredCount, d.FailedTasks)
		}
		if p.Service.Status != ecs.Active {
			say("service %s", p.Service.Status)
		}
	}
	for _, e := range p.Events {
		say("say %q", e)
	}
	if p.More {
		say("more")
	}
	if !p.Again.IsZero() {
		say("again at %s", p.Again.UTC().Format(time.TimeOnly))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "\n")
}

// StopCode is the stop code of every task that a plan stops.
const StopCode = types.TaskStopCodeServiceSchedulerInitiated

// The texts of stopped reasons, as ECS says them.
const reasonUnhealthy = "Task failed container health checks"

func reasonScaling(deployment string) string {
	return fmt.Sprintf("Scaling activity initiated by (deployment %s)", deployment)
}
