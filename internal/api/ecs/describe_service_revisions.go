package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// describeServiceRevisions answers with service revisions in the order in which they are named. What does not exist is a failure.
func (a *API) describeServiceRevisions(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeServiceRevisionsInput) (*awsecs.DescribeServiceRevisionsOutput, error) {
	if err := namedRollouts(r, "serviceRevisionArns", "service-revision", in.ServiceRevisionArns); err != nil {
		return nil, err
	}
	view := a.store.View()
	out := &awsecs.DescribeServiceRevisionsOutput{ServiceRevisions: []types.ServiceRevision{}, Failures: []types.Failure{}}
	for _, name := range in.ServiceRevisionArns {
		if v := view.Revisions.Get(name); v != nil {
			out.ServiceRevisions = append(out.ServiceRevisions, serviceRevisionView(view.Tables, v))
		} else {
			out.Failures = append(out.Failures, missing(name))
		}
	}
	return out, nil
}

func serviceRevisionView(t *state.Tables, r *ecs.ServiceRevision) types.ServiceRevision {
	a, _ := serviceOf("service-revision", r.ServiceRevisionArn) // as it was made
	images := orEmpty(r.ContainerImages)
	if d := t.Definitions.Get(r.TaskDefinition); d != nil {
		images = r.Images(d)
	}
	return types.ServiceRevision{
		ServiceRevisionArn: &r.ServiceRevisionArn, ServiceArn: new(string(a)), ClusterArn: new(string(a.Cluster())), TaskDefinition: new(string(r.TaskDefinition)),
		LaunchType: r.LaunchType, CapacityProviderStrategy: r.CapacityProviderStrategy, PlatformVersion: optional(r.PlatformVersion),
		PlatformFamily: familyView(r.PlatformVersion), NetworkConfiguration: r.NetworkConfiguration, ContainerImages: images, CreatedAt: &r.CreatedAt,
		ServiceConnectConfiguration: &types.ServiceConnectConfiguration{},
	}
}
