package ecs

import (
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// serviceOperations are the operations on services.
func (a *API) serviceOperations() []frontdoor.Operation {
	one := func(of func(in any) (cluster, service *string)) func(*frontdoor.Request, any) []string {
		return func(r *frontdoor.Request, in any) []string {
			c, s := of(in)
			k, err := clusterARN(r, c)
			if err != nil || text(s) == "" {
				return nil
			}
			x, err := serviceARN(k, *s)
			if err != nil {
				return nil
			}
			return []string{string(x)}
		}
	}
	return []frontdoor.Operation{
		frontdoor.Op("CreateService", a.createService).On(one(func(in any) (*string, *string) {
			i := in.(*awsecs.CreateServiceInput)
			return i.Cluster, i.ServiceName
		})),
		frontdoor.Op("UpdateService", a.updateService).On(one(func(in any) (*string, *string) {
			i := in.(*awsecs.UpdateServiceInput)
			return i.Cluster, i.Service
		})),
		frontdoor.Op("DeleteService", a.deleteService).On(one(func(in any) (*string, *string) {
			i := in.(*awsecs.DeleteServiceInput)
			return i.Cluster, i.Service
		})),
		frontdoor.Op("DescribeServices", a.describeServices).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeServicesInput)
			k, err := clusterARN(r, i.Cluster)
			if err != nil {
				return nil
			}
			var out []string
			for _, s := range i.Services {
				if x, err := serviceARN(k, s); err == nil {
					out = append(out, string(x))
				}
			}
			return out
		}),
		frontdoor.Op("ListServices", a.listServices),
	}
}

// serviceARN reads a service that a request names, by name or ARN.
func serviceARN(c arn.Cluster, name string) (arn.Service, error) {
	if !arn.Is(name) {
		return c.Service(name), nil
	}
	kind, rest, ok := arn.Resource(name)
	if !ok || kind != "service" || rest == "" {
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for %s, which is not a service.", name)
	}
	if !strings.Contains(rest, "/") { // the old form, without the cluster
		return c.Service(rest), nil
	}
	return arn.Service(name), nil
}
