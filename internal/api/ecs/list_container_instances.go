package ecs

import (
	"context"
	"iter"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/arn"
	"berth/internal/cql"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/placement"
	"berth/internal/state"
)

// listContainerInstances answers with the ARNs of a cluster's container instances that are ACTIVE or DRAINING, or have the status asked for,
// and that fulfil the filter.
// INACTIVE ones are never listed.
func (a *API) listContainerInstances(_ context.Context, r *frontdoor.Request, in *awsecs.ListContainerInstancesInput) (
	*awsecs.ListContainerInstancesOutput, error,
) {
	matches, err := instanceFilter(in.Filter)
	if err != nil {
		return nil, err
	}
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListContainerInstances", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), string(in.Status), text(in.Filter))
	if err != nil {
		return nil, err
	}
	rows := where(view.Instances.Under(string(c.ClusterArn.Instance("")), arn.Instance(l.after)), func(i *ecs.Instance) bool {
		return i.Status != ecs.Inactive && (in.Status == "" || i.Status == string(in.Status)) && matches(view.Tables, i)
	})
	instances, next := page(l, rows, (*ecs.Instance).Key)
	return &awsecs.ListContainerInstancesOutput{ContainerInstanceArns: texts(instances, (*ecs.Instance).Key), NextToken: next}, nil
}

// instanceFilter reads a filter in the cluster query language, once for all instances. Without one, all match.
func instanceFilter(filter *string) (matches func(*state.Tables, *ecs.Instance) bool, err error) {
	if text(filter) == "" {
		return func(*state.Tables, *ecs.Instance) bool { return true }, nil
	}
	if err := validateExpression("filter", filter); err != nil {
		return nil, err
	}
	e, err := cql.Parse(*filter)
	return func(t *state.Tables, i *ecs.Instance) bool { return e.Match(instanceSubject{t, i}) }, err
}

// instanceSubject is a container instance with its tasks, as expressions see it.
type instanceSubject struct {
	*state.Tables
	*ecs.Instance
}

var _ cql.Subject = instanceSubject{}

func (s instanceSubject) cluster() arn.Cluster { return s.ContainerInstanceArn.Cluster() }

func (s instanceSubject) Facts() cql.Facts {
	return placement.Facts(s.Instance, s.Tasks.Usage(s.ContainerInstanceArn).Running)
}

func (s instanceSubject) HasGroup(g string) bool {
	return s.Tasks.InGroup(s.cluster(), g, s.ContainerInstanceArn) > 0
}

func (s instanceSubject) Groups() iter.Seq[string] {
	return s.Fleet(s.cluster()).Groups(s.Instance)
}
