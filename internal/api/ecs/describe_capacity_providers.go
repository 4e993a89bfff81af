package ecs

import (
	"context"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// describeCapacityProviders answers with capacity providers: those that are named, a cluster's, or all that there are, which are Fargate's. What does not exist
// is a failure.
func (a *API) describeCapacityProviders(
	_ context.Context, r *frontdoor.Request, in *awsecs.DescribeCapacityProvidersInput,
) (*awsecs.DescribeCapacityProvidersOutput, error) {
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	if len(in.CapacityProviders) > mostDescribed {
		return nil, apierr.InvalidParameter("capacityProviders can have at most %d items.", mostDescribed)
	}
	if err := noBlank("Capacity provider", in.CapacityProviders); err != nil {
		return nil, err
	}
	there := []string{ecs.ProviderFargate, ecs.ProviderFargateSpot}
	if !blank(in.Cluster) {
		c, err := cluster(a.store.View().Tables, r, in.Cluster)
		if err != nil {
			return nil, err
		}
		there = c.CapacityProviders
	}
	l, err := newListing("DescribeCapacityProviders", pageSize{10, 10}, in.MaxResults, in.NextToken, append(slices.Clone(in.CapacityProviders), text(in.Cluster))...)
	if err != nil {
		return nil, err
	}
	found, failures, err := namedProviders(r.Scope, in.CapacityProviders, there)
	if err != nil {
		return nil, err
	}
	from := max(0, slices.Index(found, l.after))
	found, next := page(l, slices.Values(found[from:]), func(p string) string { return p })
	out := &awsecs.DescribeCapacityProvidersOutput{CapacityProviders: []types.CapacityProvider{}, Failures: failures, NextToken: next}
	for _, p := range found {
		out.CapacityProviders = append(out.CapacityProviders, types.CapacityProvider{
			CapacityProviderArn: new(providerARN(r.Scope, p)), Name: &p, Status: types.CapacityProviderStatusActive, Tags: []types.Tag{},
		})
	}
	return out, nil
}

// namedProviders are the capacity providers that names, which are names or ARNs, say of those that are there; without names they are all. What is not there is
// a failure.
func namedProviders(s arn.Scope, names, there []string) (found []string, failures []types.Failure, err error) {
	if failures = []types.Failure{}; len(names) == 0 {
		return there, failures, nil
	}
	for _, name := range names {
		if arn.Is(name) {
			if name, err = identify(s, "capacity-provider", name); err != nil {
				return nil, nil, err
			}
		}
		switch {
		case !slices.Contains(there, name):
			failures = append(failures, missing(providerARN(s, name)))
		case !slices.Contains(found, name):
			found = append(found, name)
		}
	}
	return found, failures, nil
}

// providerARN is the ARN of a capacity provider.
func providerARN(s arn.Scope, name string) string {
	return strings.Replace(string(s.Cluster(name)), ":cluster/", ":capacity-provider/", 1)
}
