package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// instanceOperations are the operations on container instances, with the resources that a policy is asked about.
func (a *API) instanceOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("RegisterContainerInstance", a.registerContainerInstance).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*registration).Cluster)
		}),
		frontdoor.Op("DeregisterContainerInstance", a.deregisterContainerInstance).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DeregisterContainerInstanceInput)
			return instanceResources(r, i.Cluster, text(i.ContainerInstance))
		}),
		frontdoor.Op("DescribeContainerInstances", a.describeContainerInstances).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeContainerInstancesInput)
			return instanceResources(r, i.Cluster, i.ContainerInstances...)
		}),
		frontdoor.Op("ListContainerInstances", a.listContainerInstances).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.ListContainerInstancesInput).Cluster)
		}),
		frontdoor.Op("UpdateContainerAgent", a.updateContainerAgent).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateContainerAgentInput)
			return instanceResources(r, i.Cluster, text(i.ContainerInstance))
		}),
		frontdoor.Op("UpdateContainerInstancesState", a.updateContainerInstancesState).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateContainerInstancesStateInput)
			return instanceResources(r, i.Cluster, i.ContainerInstances...)
		}),
	}
}

// instanceResources are the ARNs of the container instances that a request names. What is no identifier is left out: the operation refuses it.
func instanceResources(r *frontdoor.Request, cluster *string, names ...string) (out []string) {
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

// namedInstance finds the container instance that a request changes. One that is not there, or not any more, is an error.
func namedInstance(t *state.Tables, r *frontdoor.Request, clusterName, name *string) (*ecs.Instance, error) {
	c, err := cluster(t, r, clusterName)
	if err != nil {
		return nil, err
	}
	if text(name) == "" {
		return nil, apierr.InvalidParameter("Container instance can not be blank.")
	}
	x, err := instanceARN(c.ClusterArn, *name)
	if err != nil {
		return nil, err
	}
	i := t.Instances.Get(x)
	if i == nil || i.Status == ecs.Inactive {
		return nil, apierr.InvalidParameter("The referenced container instance was not found.")
	}
	return i, nil
}
