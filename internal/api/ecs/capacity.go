package ecs

import (
	"cmp"
	"reflect"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/launch"
	"berth/internal/state"
)

// capacity is where tasks are to run: a launch type or a capacity provider strategy, Fargate's platform version, and the network of tasks in awsvpc mode.
type capacity struct {
	launchType types.LaunchType
	strategy   []types.CapacityProviderStrategyItem
	platform   string
	network    *types.NetworkConfiguration
}

// validate checks what needs no look at the records.
func (c *capacity) validate() error {
	if err := validateLaunchType(c.launchType); err != nil {
		return err
	}
	switch {
	case c.launchType != "" && len(c.strategy) > 0:
		return apierr.InvalidParameter("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case len(c.strategy) > 0:
		return validateStrategy(c.strategy)
	}
	return nil
}

// validateLaunchType checks a launch type; "" is left to the cluster's default strategy, or else EC2.
func validateLaunchType(l types.LaunchType) error {
	switch l {
	case "", types.LaunchTypeEc2, types.LaunchTypeExternal, types.LaunchTypeFargate:
		return nil
	case types.LaunchTypeManagedInstances:
		return notActedOn("launchType " + string(l))
	}
	return apierr.ClientException("launch type should be one of [EC2,FARGATE,EXTERNAL]")
}

// resolve fills in what the request leaves to the cluster, and checks what it says against the cluster's capacity providers.
func (c *capacity) resolve(k *ecs.Cluster) error {
	for _, s := range c.strategy {
		if !slices.Contains(k.CapacityProviders, *s.CapacityProvider) {
			return notAssociated(*s.CapacityProvider)
		}
	}
	switch {
	case c.launchType != "" || len(c.strategy) > 0:
	case len(k.DefaultCapacityProviderStrategy) > 0:
		c.strategy = k.DefaultCapacityProviderStrategy
		if err := weighed(c.strategy); err != nil {
			return err
		}
	default:
		c.launchType = types.LaunchTypeEc2
	}
	switch {
	case c.fargate():
		return c.resolvePlatform()
	case c.platform != "":
		return apierr.InvalidParameter("The platform version must be null when specifying an EC2 launch type.")
	}
	return nil
}

// resolvePlatform checks a platform version of Fargate; LATEST where none is given.
func (c *capacity) resolvePlatform() error {
	c.platform = launch.Chosen(c.launchType, c.strategy, c.platform)
	switch c.platform {
	case ecs.LatestPlatform, ecs.LinuxPlatform:
		return nil
	case "1.0.0", "1.1.0", "1.2.0", "1.3.0": // retired: Linux tasks need 1.4.0
		return apierr.New("PlatformTaskDefinitionIncompatibilityException", "One or more of the requested capabilities are not supported.")
	}
	return apierr.New("PlatformUnknownException", "The specified platform does not exist.")
}

func (c *capacity) fargate() bool { return launch.OnFargate(c.launchType, c.strategy) }

// kind is the launch type of the tasks.
func (c *capacity) kind() types.LaunchType {
	switch {
	case c.fargate():
		return types.LaunchTypeFargate
	case c.launchType == "":
		return types.LaunchTypeEc2
	}
	return c.launchType
}

// suits checks it against a definition, and returns where the tasks get their network interfaces, nil in modes without.
func (c *capacity) suits(t *state.Tables, s arn.Scope, d *ecs.TaskDefinition) (*launch.Network, error) {
	if err := supports(d, c.kind()); err != nil {
		return nil, err
	}
	if d.Definition.NetworkMode == types.NetworkModeAwsvpc {
		return launch.ReadNetwork(t, s, c.network, c.fargate())
	}
	if c.network != nil {
		return nil, apierr.InvalidParameter("Network Configuration is not valid for the given networkMode of this task definition.")
	}
	return nil, nil
}

// placeable refuses placement constraints and strategies on Fargate, which has no instances to choose from.
func (c *capacity) placeable(constraints []types.PlacementConstraint, strategy []types.PlacementStrategy) error {
	switch {
	case !c.fargate():
	case len(constraints) > 0:
		return apierr.InvalidParameter("Placement constraints are not supported with FARGATE launch type.")
	case len(strategy) > 0:
		return apierr.InvalidParameter("Placement strategies are not supported with FARGATE launch type.")
	}
	return nil
}

// into stores it in a service.
func (c *capacity) into(s *ecs.Service) {
	if s.LaunchType != "" && c.launchType == "" {
		s.LaunchTypeBefore = s.LaunchType
	}
	s.LaunchType, s.CapacityProviderStrategy, s.PlatformVersion, s.NetworkConfiguration = c.launchType, orNone(c.strategy), c.platform, shownNetwork(c.network)
}

// shownNetwork is a network configuration as ECS keeps and shows it: with all its members.
func shownNetwork(n *types.NetworkConfiguration) *types.NetworkConfiguration {
	if n == nil || n.AwsvpcConfiguration == nil {
		return n
	}
	v := *n.AwsvpcConfiguration
	v.SecurityGroups = orEmpty(v.SecurityGroups)
	if v.AssignPublicIp == "" {
		v.AssignPublicIp = types.AssignPublicIpDisabled
	}
	return &types.NetworkConfiguration{AwsvpcConfiguration: &v}
}

// serviceCapacity is where the tasks of a service run.
func serviceCapacity(s *ecs.Service) *capacity {
	return &capacity{s.LaunchType, s.CapacityProviderStrategy, s.PlatformVersion, s.NetworkConfiguration}
}

// capacityOf is where the tasks of a deployment, or of a task set, run.
func capacityOf(d *ecs.Deployment) *capacity {
	return &capacity{d.LaunchType, d.CapacityProviderStrategy, d.PlatformVersion, d.NetworkConfiguration}
}

func notAssociated(provider string) error {
	return apierr.InvalidParameter("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "+
		"Associate the capacity provider '%s' with the cluster and try again.", provider)
}

func knownProvider(p string) bool { return p == ecs.ProviderFargate || p == ecs.ProviderFargateSpot }

func unknownProvider(p string) error {
	return apierr.InvalidParameter("The specified capacity provider '%s' was not found. Specify a valid capacity provider and try again.", p)
}

// changedCapacity is where the service's tasks are to run after an update. An empty strategy goes back to the launch type.
func changedCapacity(t *state.Tables, s *ecs.Service, in *awsecs.UpdateServiceInput) (*capacity, error) {
	c := serviceCapacity(s)
	if wants := orNone(in.CapacityProviderStrategy); in.CapacityProviderStrategy != nil && !reflect.DeepEqual(wants, s.CapacityProviderStrategy) {
		if !in.ForceNewDeployment {
			return nil, apierr.InvalidParameter("When switching from launch type to capacity provider strategy on an existing service, or making a change to a " +
				"capacity provider strategy on a service that is already using one, you must force a new deployment.")
		}
		if c.launchType, c.strategy = "", wants; wants == nil {
			c.launchType = cmp.Or(s.LaunchTypeBefore, types.LaunchTypeFargate) // there are no other providers
		}
		if !c.fargate() {
			c.platform = ""
		}
	}
	if in.PlatformVersion != nil {
		c.platform = *in.PlatformVersion
	}
	if in.NetworkConfiguration != nil {
		c.network = in.NetworkConfiguration
	}
	k := t.Clusters.Get(s.ServiceArn.Cluster())
	if k == nil {
		return nil, apierr.ClusterNotFound()
	}
	return c, c.resolve(k)
}

// sameCapacity reports whether tasks of two versions of a service run in the same way and place.
func sameCapacity(a, b *ecs.Service) bool {
	return reflect.DeepEqual(serviceCapacity(a), serviceCapacity(b))
}
