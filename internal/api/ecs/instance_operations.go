package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// instanceOperations are the operations on container instances.
func (a *API) instanceOperations() []frontdoor.Operation {
	instances := func(r *frontdoor.Request, cluster *string, names ...string) (out []string) {
		c, err := clusterARN(r, cluster)
		if err != nil {
			return nil
		}
		for _, n := range names {
			if x, err := instanceARN(c, n); err == nil {
				out = append(out, string(x))
			}
		}
		return out
	}
	return []frontdoor.Operation{
		frontdoor.Op("RegisterContainerInstance", a.registerContainerInstance).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.RegisterContainerInstanceInput).Cluster)
		}),
		frontdoor.Op("DeregisterContainerInstance", a.deregisterContainerInstance).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DeregisterContainerInstanceInput)
			return instances(r, i.Cluster, text(i.ContainerInstance))
		}),
		frontdoor.Op("DescribeContainerInstances", a.describeContainerInstances).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeContainerInstancesInput)
			return instances(r, i.Cluster, i.ContainerInstances...)
		}),
		frontdoor.Op("ListContainerInstances", a.listContainerInstances).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.ListContainerInstancesInput).Cluster)
		}),
		frontdoor.Op("UpdateContainerInstancesState", a.updateContainerInstancesState).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateContainerInstancesStateInput)
			return instances(r, i.Cluster, i.ContainerInstances...)
		}),
	}
}

// deregisterContainerInstance makes an instance INACTIVE; the controller ends its session and its tasks' records. While tasks are on it, it
// takes force.
func (a *API) deregisterContainerInstance(ctx context.Context, r *frontdoor.Request, in *awsecs.DeregisterContainerInstanceInput) (*awsecs.DeregisterContainerInstanceOutput, error) {
	if text(in.ContainerInstance) == "" {
		return nil, apierr.InvalidParameter("Container instance can not be blank.")
	}
	var out types.ContainerInstance
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		i, err := findInstance(tx.Tables, r, in.Cluster, *in.ContainerInstance)
		if err != nil {
			return err
		}
		if i == nil || i.Status == ecs.Inactive {
			return apierr.InvalidParameter("The referenced container instance was not found.")
		}
		if n := tx.Tasks.Usage(i.ContainerInstanceArn).Tasks; n > 0 && !yes(in.Force) {
			return apierr.InvalidParameter("Found running tasks on the instance.")
		}
		n := i.Deregister()
		tx.Put(n)
		out = instanceView(tx.Tables, n, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeregisterContainerInstanceOutput{ContainerInstance: &out}, nil
}

// findInstance looks up the container instance that a request names, nil if there is none.
func findInstance(t *state.Tables, r *frontdoor.Request, clusterName *string, name string) (*ecs.Instance, error) {
	c, err := cluster(t, r, clusterName)
	if err != nil {
		return nil, err
	}
	x, err := instanceARN(c.ClusterArn, name)
	if err != nil {
		return nil, err
	}
	return t.Instances.Get(x), nil
}

// mostInstances is how many instances one request describes, mostDrained how many it changes.
const (
	mostInstances = 100
	mostDrained   = 10
)

// describeContainerInstances shows instances in the order asked for; one that is not known is a failure MISSING.
func (a *API) describeContainerInstances(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeContainerInstancesInput) (*awsecs.DescribeContainerInstancesOutput, error) {
	switch {
	case len(in.ContainerInstances) == 0:
		return nil, apierr.ClientException("Container Instances cannot be empty.")
	case len(in.ContainerInstances) > mostInstances:
		return nil, apierr.InvalidParameter("containerInstances can have at most %d items, but had %d", mostInstances, len(in.ContainerInstances))
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	tags, health := slices.Contains(in.Include, types.ContainerInstanceFieldTags), slices.Contains(in.Include, types.ContainerInstanceFieldContainerInstanceHealth)
	out := &awsecs.DescribeContainerInstancesOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
	for _, name := range in.ContainerInstances {
		x, err := instanceARN(c.ClusterArn, name)
		if err != nil {
			return nil, err
		}
		i := v.Instances.Get(x)
		if i == nil {
			out.Failures = append(out.Failures, failure(string(x), "MISSING"))
			continue
		}
		view := instanceView(v.Tables, i, tags)
		if health {
			view.HealthStatus = healthView(i)
		}
		out.ContainerInstances = append(out.ContainerInstances, view)
	}
	return out, nil
}

// listContainerInstances lists the ARNs of a cluster's instances: ACTIVE and DRAINING ones, or those of the status asked for.
func (a *API) listContainerInstances(_ context.Context, r *frontdoor.Request, in *awsecs.ListContainerInstancesInput) (*awsecs.ListContainerInstancesOutput, error) {
	if text(in.Filter) != "" {
		return nil, notActedOn("filter")
	}
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListContainerInstances", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), string(in.Status))
	if err != nil {
		return nil, err
	}
	rows := where(v.Instances.Under(string(c.ClusterArn.Instance("")), arn.Instance(l.after)), func(i *ecs.Instance) bool {
		return i.Status != ecs.Inactive && (in.Status == "" || string(in.Status) == i.Status)
	})
	found, next := page(l, rows, func(i *ecs.Instance) string { return i.Key() })
	return &awsecs.ListContainerInstancesOutput{ContainerInstanceArns: texts(found, func(i *ecs.Instance) string { return i.Key() }), NextToken: next}, nil
}

// updateContainerInstancesState makes instances ACTIVE or DRAINING. Services replace their tasks on draining ones.
func (a *API) updateContainerInstancesState(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateContainerInstancesStateInput) (*awsecs.UpdateContainerInstancesStateOutput, error) {
	switch {
	case in.Status != types.ContainerInstanceStatusActive && in.Status != types.ContainerInstanceStatusDraining:
		return nil, apierr.InvalidParameter("Container instance status should be one of [ACTIVE,DRAINING]")
	case len(in.ContainerInstances) == 0:
		return nil, apierr.InvalidParameter("Container Instances cannot be empty.")
	case len(in.ContainerInstances) > mostDrained:
		return nil, apierr.InvalidParameter("containerInstances can have at most %d items, but had %d", mostDrained, len(in.ContainerInstances))
	}
	var out *awsecs.UpdateContainerInstancesStateOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		out = &awsecs.UpdateContainerInstancesStateOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
		for _, name := range in.ContainerInstances {
			i, err := findInstance(tx.Tables, r, in.Cluster, name)
			switch {
			case err != nil:
				return err
			case i == nil:
				out.Failures = append(out.Failures, failure(name, "MISSING"))
				continue
			case i.Status == ecs.Inactive:
				out.Failures = append(out.Failures, failure(string(i.ContainerInstanceArn), "INACTIVE"))
				continue
			case i.Status != string(in.Status):
				n := *i
				n.Status = string(in.Status)
				n.Version++
				tx.Put(&n)
				i = &n
			}
			out.ContainerInstances = append(out.ContainerInstances, instanceView(tx.Tables, i, true))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
