package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/frontdoor"
)

// describeServiceDeployments answers with service deployments in the order in which they are named. What does not exist is a failure.
func (a *API) describeServiceDeployments(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeServiceDeploymentsInput) (*awsecs.DescribeServiceDeploymentsOutput, error) {
	if err := namedRollouts(r, "serviceDeploymentArns", "service-deployment", in.ServiceDeploymentArns); err != nil {
		return nil, err
	}
	view := a.store.View()
	out := &awsecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []types.ServiceDeployment{}, Failures: []types.Failure{}}
	for _, name := range in.ServiceDeploymentArns {
		if d := view.Rollouts.Get(name); d != nil {
			out.ServiceDeployments = append(out.ServiceDeployments, serviceDeploymentView(view.Tables, d))
		} else {
			out.Failures = append(out.Failures, missing(name))
		}
	}
	return out, nil
}
