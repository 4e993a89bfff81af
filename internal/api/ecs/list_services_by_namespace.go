package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// listServicesByNamespace answers with the services of a Cloud Map namespace. No service is in one yet, and no namespace exists but those that
// clusters name as their default, which AWS makes where they are not there.
func (a *API) listServicesByNamespace(
	_ context.Context, r *frontdoor.Request, in *awsecs.ListServicesByNamespaceInput,
) (*awsecs.ListServicesByNamespaceOutput, error) {
	if blank(in.Namespace) {
		return nil, apierr.InvalidParameter("namespace should not be null or empty.")
	}
	if err := validateNamespace(*in.Namespace); err != nil {
		return nil, err
	}
	l, err := newListing("ListServicesByNamespace", pageSize{10, 100}, in.MaxResults, in.NextToken, r.Scope.Region, *in.Namespace)
	if err != nil {
		return nil, err
	}
	if !namespaceExists(a.store.View().Tables, r, *in.Namespace) {
		return nil, namespaceNotFound()
	}
	services, next := page(l, slices.Values([]string{}), func(s string) string { return s })
	return &awsecs.ListServicesByNamespaceOutput{ServiceArns: services, NextToken: next}, nil
}

func namespaceExists(t *state.Tables, r *frontdoor.Request, name string) bool {
	for c := range t.Clusters.Under(string(r.Scope.Cluster("")), "") {
		if c.ServiceConnectDefaults != nil && text(c.ServiceConnectDefaults.Namespace) == name {
			return true
		}
	}
	return false
}
