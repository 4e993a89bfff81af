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

// submitContainerStateChange is an older agent's report on one container. It does not move the task itself.
func (a *API) submitContainerStateChange(ctx context.Context, r *frontdoor.Request, in *awsecs.SubmitContainerStateChangeInput) (*awsecs.SubmitContainerStateChangeOutput, error) {
	task, err := taskARN(r, in.Cluster, in.Task)
	if err != nil {
		return nil, err
	}
	if text(in.ContainerName) == "" {
		return nil, apierr.InvalidParameter("Container name can not be blank.")
	}
	c, err := containerReport(&types.ContainerStateChange{
		ContainerName: in.ContainerName, Status: in.Status, ExitCode: in.ExitCode, Reason: in.Reason,
		RuntimeId: in.RuntimeId, NetworkBindings: in.NetworkBindings,
	})
	if err != nil {
		return nil, err
	}
	if err := a.report(ctx, r, "ecs:SubmitContainerStateChange", task, ecs.Report{Containers: []ecs.ContainerReport{c}}); err != nil {
		return nil, err
	}
	return &awsecs.SubmitContainerStateChangeOutput{Acknowledgment: aws.String(acknowledged)}, nil
}
