package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// describeTaskSets answers with task sets in the order in which they are named, and with all of the service where none is named, the PRIMARY
// one first. What the service does not have is a failure.
func (a *API) describeTaskSets(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeTaskSetsInput) (*awsecs.DescribeTaskSetsOutput, error) {
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	if err := noBlank("TaskSet", in.TaskSets); err != nil {
		return nil, err
	}
	view := a.store.View()
	s, err := externalService(view.Tables, r, in.Cluster, in.Service)
	switch {
	case err != nil:
		return nil, err
	case len(in.TaskSets) > mostDescribed:
		return nil, apierr.InvalidParameter("taskSets can have at most %d items.", mostDescribed)
	}
	tags := len(in.Include) > 0
	out := &awsecs.DescribeTaskSetsOutput{TaskSets: []types.TaskSet{}, Failures: []types.Failure{}}
	if len(in.TaskSets) == 0 {
		out.TaskSets = taskSetsView(view.Tables, s, tags)
	}
	for _, name := range in.TaskSets {
		id, err := taskSetID(s, name)
		if err != nil {
			return nil, err
		}
		if d := s.Deployment(id); d != nil {
			out.TaskSets = append(out.TaskSets, taskSetView(view.Tables, s, d, tags))
		} else {
			out.Failures = append(out.Failures, missing(s.TaskSetArn(id)))
		}
	}
	return out, nil
}
