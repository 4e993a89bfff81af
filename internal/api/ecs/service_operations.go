package ecs

import (
	"crypto/rand"
	"fmt"
	"math/big"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// serviceOperations are the operations on services, with the resources that a policy is asked about.
func (a *API) serviceOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("CreateService", a.createService).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.CreateServiceInput)
			return serviceResources(r, i.Cluster, text(i.ServiceName))
		}).And(func(r *frontdoor.Request, in any) []frontdoor.Question {
			return a.passesLaunched(r, in.(*awsecs.CreateServiceInput).TaskDefinition, nil)
		}),
		frontdoor.Op("UpdateService", a.updateService).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateServiceInput)
			return serviceResources(r, i.Cluster, text(i.Service))
		}).And(func(r *frontdoor.Request, in any) []frontdoor.Question {
			return a.passesLaunched(r, in.(*awsecs.UpdateServiceInput).TaskDefinition, nil)
		}),
		frontdoor.Op("DeleteService", a.deleteService).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DeleteServiceInput)
			return serviceResources(r, i.Cluster, text(i.Service))
		}),
		frontdoor.Op("DescribeServices", a.describeServices).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeServicesInput)
			return serviceResources(r, i.Cluster, i.Services...)
		}),
		frontdoor.Op("ListServices", a.listServices),
		frontdoor.Op("ListServicesByNamespace", a.listServicesByNamespace),
	}
}

// serviceResources are the ARNs of the services that a request names, as a policy is asked about them. What is no identifier is asked about
// as it stands: the operation refuses it.
func serviceResources(r *frontdoor.Request, cluster *string, names ...string) []string {
	c, err := clusterARN(r, cluster)
	if err != nil {
		return clusterResource(r, cluster)
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if a, err := serviceARN(c, name); err == nil {
			out[i] = string(a)
		}
	}
	return out
}

// serviceARN reads a service's name or ARN. An ARN of another kind or cluster is an error.
func serviceARN(c arn.Cluster, name string) (arn.Service, error) {
	id, err := name, error(nil)
	if arn.Is(name) {
		id, err = inCluster(c, "service", name)
	} else {
		id, err = short(name)
	}
	return c.Service(id), err
}

// findService finds the cluster's service of that name or ARN, nil if there is none.
func findService(t *state.Tables, c arn.Cluster, name string) (*ecs.Service, error) {
	a, err := serviceARN(c, name)
	if err != nil {
		return nil, err
	}
	return t.Services.Get(a), nil
}

// namedService finds the service that a request changes, and its cluster. One that is not there is a ServiceNotFoundException.
func namedService(t *state.Tables, r *frontdoor.Request, clusterName, name *string) (*ecs.Service, error) {
	c, err := cluster(t, r, clusterName)
	if err != nil {
		return nil, err
	}
	if text(name) == "" {
		return nil, apierr.InvalidParameter("Service can not be blank.")
	}
	s, err := findService(t, c.ClusterArn, *name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, apierr.ServiceNotFound()
	}
	return s, nil
}

// newDeploymentID is "ecs-svc/" and 19 random digits, leading zeros kept.
func newDeploymentID() (string, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(19), nil))
	if err != nil {
		return "", fmt.Errorf("make a deployment's id: %w", err)
	}
	return fmt.Sprintf("ecs-svc/%019s", n), nil
}
