package trace

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"berth/internal/ecs"
)

// journey is a task's way to RUNNING.
type journey struct {
	task       *ecs.Task
	begin, end time.Time
	steps      []step
}

// step is a part of it.
type step struct {
	name       string
	begin, end time.Time
}

// way takes a task's times apart: place (from the request for the deployment until the task is on an instance), send, ack, pull, and start until
// the report that it runs. Steps whose times are not known are left out, and a machine's clock that is off does not make a step end before
// it begins. s is the task's service, nil for a task of its own.
func way(t *ecs.Task, s *ecs.Service, told times) journey {
	j := journey{task: t, begin: t.CreatedAt, end: t.CreatedAt}
	at := t.CreatedAt // where the last step ended
	add := func(name string, begin, end time.Time) {
		if begin.IsZero() || end.IsZero() || end.Before(begin) {
			return
		}
		j.steps = append(j.steps, step{name, begin, end})
		at = end
	}
	if asked := requested(t, s); !asked.IsZero() {
		j.begin = asked
		add("place", asked, t.CreatedAt)
	}
	add("send", at, told.sent)
	add("ack", told.sent, told.acked)
	if t.PullStartedAt != nil && t.PullStoppedAt != nil {
		add("pull", *t.PullStartedAt, *t.PullStoppedAt)
	}
	switch {
	case t.StartedAt != nil:
		j.end = *t.StartedAt
		add("start", at, j.end)
	case t.StoppedAt != nil:
		j.end = *t.StoppedAt
	default:
		j.end = at
	}
	return j
}

// requested is when the request was made that the task is there for: its deployment's. A task that came after the deployment was completed
// replaces another one or follows a new desired count, and its way begins with itself.
func requested(t *ecs.Task, s *ecs.Service) time.Time {
	if s == nil {
		return time.Time{}
	}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		if d.ID == t.StartedBy && (d.RolloutState != types.DeploymentRolloutStateCompleted || !t.CreatedAt.After(d.UpdatedAt)) {
			return d.CreatedAt
		}
	}
	return time.Time{}
}

// tell makes the spans.
func (j journey) tell(ctx context.Context, tracer trace.Tracer) {
	t := j.task
	who := []attribute.KeyValue{
		attribute.String("aws.ecs.cluster.arn", string(t.TaskArn.Cluster())), attribute.String("aws.ecs.task.arn", string(t.TaskArn)),
		attribute.String("aws.ecs.task.family", t.TaskDefinitionArn.Family()), attribute.Int("aws.ecs.task.revision", t.TaskDefinitionArn.Revision()),
		attribute.String("aws.ecs.container_instance.arn", string(t.ContainerInstanceArn)),
	}
	if t.Service != "" {
		who = append(who, attribute.String("aws.ecs.service.arn", string(t.Service)), attribute.String("aws.ecs.deployment.id", t.StartedBy))
	}
	ctx, root := tracer.Start(named(ctx, t, "task"), "task", trace.WithNewRoot(), trace.WithTimestamp(j.begin), trace.WithAttributes(who...))
	if t.StartedAt == nil {
		root.SetStatus(codes.Error, string(t.StopCode)+": "+t.StoppedReason)
	}
	for _, s := range j.steps {
		_, span := tracer.Start(named(ctx, t, s.name), s.name, trace.WithTimestamp(s.begin))
		span.End(trace.WithTimestamp(s.end))
	}
	root.End(trace.WithTimestamp(j.end))
}

// identities makes ids that follow from the task, so that whoever knows a task's ARN finds its trace, and a span that is told twice is one.
type identities struct{}

type nameKey struct{}

// named tells identities what a span is.
func named(ctx context.Context, t *ecs.Task, span string) context.Context {
	return context.WithValue(ctx, nameKey{}, [2]string{string(t.TaskArn), span})
}

// NewIDs returns the ids of a root span.
func (i identities) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	name, _ := ctx.Value(nameKey{}).([2]string)
	h := sha256.Sum256([]byte(name[0]))
	copy(id[:], h[:])
	return id, i.NewSpanID(ctx, id)
}

// NewSpanID returns the id of a span.
func (identities) NewSpanID(ctx context.Context, _ trace.TraceID) (span trace.SpanID) {
	name, _ := ctx.Value(nameKey{}).([2]string)
	h := sha256.Sum256([]byte(name[0] + "\x00" + name[1]))
	copy(span[:], h[:])
	return span
}
