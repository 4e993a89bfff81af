package ecstest

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

func (w *world) runTask(ctx context.Context, x Step) {
	in := &awsecs.RunTaskInput{TaskDefinition: family(x.C), Count: aws.Int32(int32(1 + x.B%3))}
	in.PlacementConstraints, in.StartedBy = runConstraint(x.D)
	out, err := w.api.RunTask(ctx, in)
	w.watch.note("RunTask %s %s: %s", *in.TaskDefinition, *in.StartedBy, outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range out.Tasks {
		w.ran[arn.Task(*t.TaskArn)] = true
	}
}

// someTask is the ath of the tasks that should run, "" if there is none.
func (w *world) someTask(ctx context.Context, a int, in *awsecs.ListTasksInput) string {
	list, err := w.api.ListTasks(ctx, in)
	if err != nil || len(list.TaskArns) == 0 {
		return ""
	}
	slices.Sort(list.TaskArns)
	return list.TaskArns[a%len(list.TaskArns)]
}

func (w *world) stopTask(ctx context.Context, x Step) {
	t := w.someTask(ctx, x.A, &awsecs.ListTasksInput{})
	if t == "" {
		return
	}
	_, err := w.api.StopTask(ctx, &awsecs.StopTaskInput{Task: &t, Reason: aws.String("the script says so")})
	w.watch.note("StopTask %s: %s", arn.Task(t).ID()[:8], outcome(err))
	if err != nil {
		return
	}
	w.mu.Lock()
	w.stopped[arn.Task(t)] = true
	w.mu.Unlock()
	out, err := w.api.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Tasks: []string{t}})
	if err == nil && len(out.Tasks) == 1 && *out.Tasks[0].DesiredStatus != "STOPPED" {
		w.watch.wrong("I8", "task %s should still run right after its stop was acknowledged", arn.Task(t).ID()[:8])
	}
}

// protect puts a task under scale-in protection, or ends that, and looks whether a read shows it.
func (w *world) protect(ctx context.Context, x Step) {
	defer w.turn("protection")()
	t := w.someTask(ctx, x.A, &awsecs.ListTasksInput{ServiceName: serviceName(x.C)})
	if t == "" {
		return
	}
	in := &awsecs.UpdateTaskProtectionInput{Cluster: aws.String("default"), Tasks: []string{t}, ProtectionEnabled: x.B > 0}
	if x.B > 0 {
		in.ExpiresInMinutes = aws.Int32(int32(x.B))
	}
	out, err := w.api.UpdateTaskProtection(ctx, in)
	if err != nil {
		w.watch.note("UpdateTaskProtection %s: %s", arn.Task(t).ID()[:8], outcome(err))
		return
	}
	w.watch.note("UpdateTaskProtection %s %d min: %s", arn.Task(t).ID()[:8], x.B, failureReasons(out.Failures))
	if len(out.Failures) > 0 {
		return
	}
	is, err := w.api.GetTaskProtection(ctx, &awsecs.GetTaskProtectionInput{Cluster: in.Cluster, Tasks: in.Tasks})
	if err == nil && len(is.ProtectedTasks) == 1 && is.ProtectedTasks[0].ProtectionEnabled != in.ProtectionEnabled {
		w.watch.wrong("I8", "the protection of task %s is %v right after %v was acknowledged", arn.Task(t).ID()[:8], !in.ProtectionEnabled, in.ProtectionEnabled)
	}
}

// failureReasons reads like "ok" or "MISSING".
func failureReasons(failures []types.Failure) string {
	if len(failures) == 0 {
		return "ok"
	}
	var out []string
	for _, f := range failures {
		out = append(out, aws.ToString(f.Reason))
	}
	return strings.Join(out, " ")
}
