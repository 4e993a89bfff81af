package berth

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// TestLastStops: what went wrong is told before what was wanted, the newest first, and each reason once.
func TestLastStops(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	c := arn.Scope{Region: "r", Account: "1"}.Cluster("c")
	var tasks []*ecs.Task
	stopped := func(minutes int, code types.TaskStopCode, reason string) {
		x := &ecs.Task{TaskArn: c.Task(fmt.Sprint("t", len(tasks))), DesiredStatus: ecs.Running, LastStatus: ecs.Running}
		x.Stop(noon.Add(time.Duration(minutes)*time.Minute), code, reason)
		tasks = append(tasks, x)
	}
	for n := range 8 {
		stopped(n, types.TaskStopCodeServiceSchedulerInitiated, fmt.Sprintf("Scaling activity initiated by (deployment ecs-svc/%d)", n))
	}
	stopped(1, types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: x")
	stopped(3, types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: x")
	stopped(2, types.TaskStopCodeServiceSchedulerInitiated, "Task failed container health checks")
	tasks = append(tasks, &ecs.Task{TaskArn: c.Task("runs"), DesiredStatus: ecs.Running, LastStatus: ecs.Running})
	var e ExplainOutput
	e.lastStops(slices.Values(tasks))
	want := []string{
		"task t9 stopped at 2026-01-01T12:03:00Z (and 1 others): TaskFailedToStart; CannotPullContainerError: x",
		"task t10 stopped at 2026-01-01T12:02:00Z: ServiceSchedulerInitiated; Task failed container health checks",
		"task t7 stopped at 2026-01-01T12:07:00Z (and 7 others): ServiceSchedulerInitiated; Scaling activity initiated by (deployment ecs-svc/7)",
	}
	if !slices.Equal(e.Lines, want) {
		t.Errorf("got\n%q\nwant\n%q", e.Lines, want)
	}
}
