package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// agentOperations are the calls that only container agents make.
func (a *API) agentOperations() []frontdoor.Operation {
	poll := frontdoor.Op("DiscoverPollEndpoint", a.discoverPollEndpoint).On(func(r *frontdoor.Request, in any) []string {
		return a.polled(r, in.(*awsecs.DiscoverPollEndpointInput))
	})
	poll.ReadOnly = true
	operations := []frontdoor.Operation{
		poll,
		frontdoor.Op("SubmitTaskStateChange", a.submitTaskStateChange).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.SubmitTaskStateChangeInput)
			return a.reporter(r, i.Cluster, i.Task)
		}),
		frontdoor.Op("SubmitContainerStateChange", a.submitContainerStateChange).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.SubmitContainerStateChangeInput)
			return a.reporter(r, i.Cluster, i.Task)
		}),
		frontdoor.Op("SubmitAttachmentStateChanges", a.submitAttachmentStateChanges).On(func(r *frontdoor.Request, _ any) []string {
			return a.ownInstance(r)
		}),
	}
	for i := range operations {
		operations[i].Frequent = true
	}
	return operations
}

// mostContainers is how many changes of containers one report may have: a definition has ten containers, and each may be there repeatedly.
const mostContainers = 100

// submitTaskStateChange is an agent's main report: where a task and its containers are. The stop code, the stopped reason and the times that
// the agent does not send follow from it (records' Task.Report).
func (a *API) submitTaskStateChange(ctx context.Context, r *frontdoor.Request, in *awsecs.SubmitTaskStateChangeInput) (*awsecs.SubmitTaskStateChangeOutput, error) {
	task, err := taskARN(r, in.Cluster, in.Task)
	if err != nil {
		return nil, err
	}
	report, err := taskReport(in)
	if err != nil {
		return nil, err
	}
	if err := a.report(ctx, r, "ecs:SubmitTaskStateChange", task, report); err != nil {
		return nil, err
	}
	return &awsecs.SubmitTaskStateChangeOutput{Acknowledgment: aws.String(acknowledged)}, nil
}

func taskReport(in *awsecs.SubmitTaskStateChangeInput) (ecs.Report, error) {
	status, err := reportedStatus("status", in.Status)
	if err != nil {
		return ecs.Report{}, err
	}
	if len(in.Containers) > mostContainers {
		return ecs.Report{}, apierr.InvalidParameter("containers can have at most %d items.", mostContainers)
	}
	report := ecs.Report{
		Status: status, Reason: cut(in.Reason, mostReason),
		PullStartedAt: in.PullStartedAt, PullStoppedAt: in.PullStoppedAt, ExecutionStoppedAt: in.ExecutionStoppedAt,
	}
	for _, a := range in.Attachments {
		if text(a.Status) == ecs.AttachmentAttached {
			report.Attached = true
		}
	}
	for i := range in.Containers {
		c, err := containerReport(&in.Containers[i])
		if err != nil {
			return ecs.Report{}, err
		}
		report.Containers = append(report.Containers, c)
	}
	return report, nil
}

func containerReport(c *types.ContainerStateChange) (ecs.ContainerReport, error) {
	status, err := reportedStatus("containers.status", c.Status)
	if err != nil {
		return ecs.ContainerReport{}, err
	}
	if len(c.NetworkBindings) > mostContainers {
		return ecs.ContainerReport{}, apierr.InvalidParameter("networkBindings can have at most %d items.", mostContainers)
	}
	return ecs.ContainerReport{
		Name: text(c.ContainerName), Status: status, ExitCode: c.ExitCode, Reason: cut(c.Reason, mostReason),
		RuntimeID: cut(c.RuntimeId, mostIdentifier), ImageDigest: cut(c.ImageDigest, mostIdentifier), NetworkBindings: c.NetworkBindings,
	}, nil
}
