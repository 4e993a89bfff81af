package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// describeTasks answers with tasks in the order in which they are named, also with stopped ones as long as they are kept. What is not in the
// cluster is a failure.
func (a *API) describeTasks(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeTasksInput) (*awsecs.DescribeTasksOutput, error) {
	switch {
	case len(in.Tasks) == 0:
		return nil, apierr.InvalidParameter("Tasks cannot be empty.")
	case len(in.Tasks) > mostDescribed:
		return nil, apierr.InvalidParameter("taskIds can have at most %d items.", mostDescribed)
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	view := a.store.View()
	if _, err := cluster(view.Tables, r, in.Cluster); err != nil {
		return nil, err
	}
	out := &awsecs.DescribeTasksOutput{Tasks: make([]types.Task, 0, len(in.Tasks)), Failures: []types.Failure{}}
	for i := range in.Tasks {
		x, err := taskIn(r, in.Cluster, in.Tasks[i])
		if err != nil {
			return nil, err
		}
		if t := view.Tasks.Get(x); t != nil {
			out.Tasks = append(out.Tasks, taskView(view.Tables, t, len(in.Include) > 0)) // TAGS is all that can be included
		} else {
			out.Failures = append(out.Failures, missing(string(x)))
		}
	}
	return out, nil
}
