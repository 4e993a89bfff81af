package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// getTaskProtection tells which of the named tasks are under scale-in protection, and until when.
func (a *API) getTaskProtection(
	_ context.Context, r *frontdoor.Request, in *awsecs.GetTaskProtectionInput,
) (*awsecs.GetTaskProtectionOutput, error) {
	if err := validateProtectedNames(in.Cluster, in.Tasks, mostDescribed); err != nil {
		return nil, err
	}
	asItIs := func(t *ecs.Task) (*ecs.Task, string) { return t, "" }
	tasks, failures, err := protectedTasks(a.store.View().Tables, r, in.Cluster, in.Tasks, now(), asItIs)
	if err != nil {
		return nil, err
	}
	return &awsecs.GetTaskProtectionOutput{ProtectedTasks: tasks, Failures: failures}, nil
}
