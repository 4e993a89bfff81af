package ecs

import (
	"context"
	"reflect"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// createCluster makes a cluster, or answers with the ACTIVE one of that name as it is, unless the request asks for another one than that. A
// deleted one of that name is made anew.
func (a *API) createCluster(ctx context.Context, r *frontdoor.Request, in *awsecs.CreateClusterInput) (*awsecs.CreateClusterOutput, error) {
	name := "default"
	if !blank(in.ClusterName) {
		name = *in.ClusterName
	}
	if err := validateNewCluster(name, in); err != nil {
		return nil, err
	}
	var out *types.Cluster
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c := tx.Clusters.Get(r.Scope.Cluster(name))
		if c == nil || c.Status == ecs.Inactive {
			insights := tx.Chosen(r.Scope, creator(r.Caller.ARN), types.SettingNameContainerInsights).Value
			c = &ecs.Cluster{
				ClusterArn: r.Scope.Cluster(name), Status: ecs.Active, CreatedAt: now(),
				Settings: filledClusterSettings(in.Settings, insights), Configuration: in.Configuration, Tags: orNone(in.Tags),
				CapacityProviders: orNone(in.CapacityProviders), DefaultCapacityProviderStrategy: orNone(in.DefaultCapacityProviderStrategy),
				ServiceConnectDefaults: serviceConnectDefaults(in.ServiceConnectDefaults),
			}
			if err := authorizeTags(tx.Tables, r, in.Tags, c.Key()); err != nil {
				return err
			}
			if err := a.roomForCluster(tx.Tables, r); err != nil {
				return err
			}
			if err := a.ensureLinkedRole(tx, r); err != nil {
				return err
			}
			tx.Put(c)
		} else if !sameCluster(c, in) {
			return apierr.InvalidParameter("Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
		}
		out = changedClusterView(tx.Tables, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.CreateClusterOutput{Cluster: out}, nil
}

// sameCluster reports whether a cluster is as the request wants it. What the request does not say may be anything, and so may tags, which come
// and go.
func sameCluster(c *ecs.Cluster, in *awsecs.CreateClusterInput) bool {
	settings := filledClusterSettings(c.Settings, noInsights)
	return reflect.DeepEqual(mergeClusterSettings(settings, in.Settings), settings) &&
		(in.Configuration == nil || reflect.DeepEqual(c.Configuration, in.Configuration)) &&
		(in.CapacityProviders == nil || slices.Equal(c.CapacityProviders, in.CapacityProviders)) &&
		(in.DefaultCapacityProviderStrategy == nil || reflect.DeepEqual(c.DefaultCapacityProviderStrategy, orNone(in.DefaultCapacityProviderStrategy))) &&
		(in.ServiceConnectDefaults == nil || reflect.DeepEqual(c.ServiceConnectDefaults, serviceConnectDefaults(in.ServiceConnectDefaults)))
}

func validateNewCluster(name string, in *awsecs.CreateClusterInput) error {
	if err := validateName("Cluster", name); err != nil {
		return err
	}
	if err := validateTags(in.Tags); err != nil {
		return err
	}
	if err := validateClusterSettings(in.Settings); err != nil {
		return err
	}
	if err := validateClusterConfiguration(in.Configuration); err != nil {
		return err
	}
	if err := validateClusterCapacity(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return err
	}
	return validateServiceConnectDefaults(in.ServiceConnectDefaults)
}

func validateServiceConnectDefaults(d *types.ClusterServiceConnectDefaultsRequest) error {
	switch {
	case d == nil:
		return nil
	case d.Namespace == nil:
		return apierr.InvalidParameter("serviceConnectDefaults.namespace should not be null.")
	}
	return validateNamespace(*d.Namespace)
}

// mostNamespace is the length of the longest name of a Cloud Map namespace.
const mostNamespace = 1024

// validateNamespace checks the name or ARN of a namespace. There are none yet: an ARN is always of one that does not exist.
func validateNamespace(name string) error {
	switch {
	case len(name) > mostNamespace:
		return apierr.InvalidParameter("The namespace can be at most %d characters long.", mostNamespace)
	case !arn.Is(name):
		return nil
	}
	p, err := arn.Parse(name)
	if err != nil || p.Service != "servicediscovery" || !strings.HasPrefix(p.Resource, "namespace/") {
		return apierr.InvalidParameter("Invalid namespace: %s is not the ARN of a namespace.", name)
	}
	return namespaceNotFound()
}

func namespaceNotFound() error {
	return apierr.New("NamespaceNotFoundException", "The specified namespace was not found.")
}

// serviceConnectDefaults is what the cluster keeps of a request's; an empty namespace is none.
func serviceConnectDefaults(d *types.ClusterServiceConnectDefaultsRequest) *types.ClusterServiceConnectDefaults {
	if d == nil || blank(d.Namespace) {
		return nil
	}
	return &types.ClusterServiceConnectDefaults{Namespace: d.Namespace}
}
