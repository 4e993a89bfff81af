package ecs

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// createService makes a service with its first deployment; the controllers start its tasks. The same request for an ACTIVE service of that
// name answers with it, and an INACTIVE one is replaced.
func (a *API) createService(ctx context.Context, r *frontdoor.Request, in *awsecs.CreateServiceInput) (*awsecs.CreateServiceOutput, error) {
	if err := a.validateNewService(in); err != nil {
		return nil, err
	}
	id, err := newDeploymentID()
	if err != nil {
		return nil, err
	}
	var out *awsecs.CreateServiceOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := newService(tx.Tables, r, in)
		if err != nil {
			return err
		}
		if err := authorizeTags(tx.Tables, r, s.Tags, s.Key()); err != nil {
			return err
		}
		if err := a.mayAttach(tx.Tables, s.ServiceArn.Cluster(), tx.Definitions.Get(s.TaskDefinition)); err != nil {
			return err
		}
		old := tx.Services.Get(s.ServiceArn)
		if old == nil || old.Status == ecs.Inactive {
			if err := a.roomForService(tx.Tables, s.ServiceArn.Cluster()); err != nil {
				return err
			}
		}
		switch {
		case old == nil:
		case old.Status == ecs.Draining:
			return apierr.InvalidParameter("Unable to Start a service that is still Draining.")
		case old.Status == ecs.Active && !sameService(old, s):
			return apierr.InvalidParameter("Creation of service was not idempotent.")
		case old.Status == ecs.Active:
			out = &awsecs.CreateServiceOutput{Service: new(serviceView(tx.Tables, old, true))}
			return nil
		default:
			forgetEvents(tx, old)
		}
		if !s.IsExternal() {
			beginDeployment(tx, s, id, s.CreatedAt)
		}
		tx.Put(s)
		out = &awsecs.CreateServiceOutput{Service: new(serviceView(tx.Tables, s, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// validateNewService checks what needs no look at the records.
func (a *API) validateNewService(in *awsecs.CreateServiceInput) error {
	if err := validateName("Service name", text(in.ServiceName)); err != nil {
		return err
	}
	switch {
	case !printable(text(in.ClientToken), mostServiceToken):
		return apierr.InvalidParameter("clientToken can be at most %d ASCII characters long, none of them a blank.", mostServiceToken)
	}
	if err := validateServiceKind(in); err != nil {
		return err
	}
	if isExternal(in.DeploymentController) {
		if err := validateNewExternal(in); err != nil {
			return err
		}
	}
	if err := createdSettings(in).validate(a.config.Quotas.TasksPerService); err != nil {
		return err
	}
	if text(in.TaskDefinition) == "" && !isExternal(in.DeploymentController) {
		return apierr.InvalidParameter("TaskDefinition can not be blank.")
	}
	switch {
	case in.DesiredCount == nil && !isExternal(in.DeploymentController) && in.SchedulingStrategy != types.SchedulingStrategyDaemon:
		return apierr.InvalidParameter("desiredCount is required for services of scheduling strategy REPLICA.")
	case text(in.Role) != "":
		return apierr.InvalidParameter("IAM roles are only valid for services configured to use load balancers.")
	}
	return validateTags(in.Tags)
}

func validateServiceKind(in *awsecs.CreateServiceInput) error {
	c := &capacity{launchType: in.LaunchType, strategy: in.CapacityProviderStrategy}
	if err := c.validate(); err != nil {
		return err
	}
	if in.SchedulingStrategy != types.SchedulingStrategyDaemon {
		return validateEnum("schedulingStrategy", in.SchedulingStrategy)
	}
	return createdSettings(in).validateDaemon()
}

// newService is the service that a request describes, without a deployment yet.
func newService(t *state.Tables, r *frontdoor.Request, in *awsecs.CreateServiceInput) (*ecs.Service, error) {
	c, err := cluster(t, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	d, err := firstDefinition(t, r, in)
	if err != nil {
		return nil, err
	}
	daemon := in.SchedulingStrategy == types.SchedulingStrategyDaemon
	var defaults *types.DeploymentConfiguration
	if daemon {
		defaults = daemonDefaults()
	}
	configuration, err := mergeDeploymentConfiguration(defaults, in.DeploymentConfiguration)
	if err != nil {
		return nil, err
	}
	s := &ecs.Service{
		ServiceArn: c.ClusterArn.Service(*in.ServiceName), Status: ecs.Active, DesiredCount: int(aws.ToInt32(in.DesiredCount)),
		SchedulingStrategy: types.SchedulingStrategyReplica, DeploymentConfiguration: configuration,
		DeploymentController: controllerOf(in.DeploymentController),
		PlacementConstraints: orNone(in.PlacementConstraints), PlacementStrategy: storedStrategies(in.PlacementStrategy),
		AvailabilityZoneRebalancing: in.AvailabilityZoneRebalancing, HealthCheckGracePeriodSeconds: in.HealthCheckGracePeriodSeconds,
		EnableECSManagedTags: in.EnableECSManagedTags, EnableExecuteCommand: in.EnableExecuteCommand, PropagateTags: in.PropagateTags,
		CreatedAt: now(), CreatedBy: creator(r.Caller.ARN), Tags: orNone(in.Tags),
	}
	if daemon {
		s.SchedulingStrategy = types.SchedulingStrategyDaemon
	}
	on := &capacity{in.LaunchType, in.CapacityProviderStrategy, text(in.PlatformVersion), in.NetworkConfiguration}
	if s.IsExternal() { // its task sets say where their tasks run
		on = &capacity{launchType: types.LaunchTypeEc2}
	}
	if err := on.resolve(c); err != nil {
		return nil, err
	}
	if daemon && on.fargate() { // by the cluster's default strategy too
		return nil, apierr.InvalidParameter("The daemon scheduling strategy does not support the FARGATE launch type.")
	}
	on.into(s)
	fillService(s)
	if err := validateRebalancing(s); err != nil {
		return nil, err
	}
	if d == nil {
		return s, nil
	}
	s.TaskDefinition = d.ARN()
	return s, servable(t, d, s, on, "created")
}

// firstDefinition finds what a new service is to run, nil where its task sets say that.
func firstDefinition(t *state.Tables, r *frontdoor.Request, in *awsecs.CreateServiceInput) (*ecs.TaskDefinition, error) {
	if isExternal(in.DeploymentController) {
		return nil, nil
	}
	return resolveDefinition(t, r, *in.TaskDefinition)
}

// fillService fills in ECS's defaults that depend on the rest.
func fillService(s *ecs.Service) {
	if s.PropagateTags == "" {
		s.PropagateTags = types.PropagateTagsNone
	}
	if s.AvailabilityZoneRebalancing == "" {
		s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled
		if rebalances(s) && !s.IsDaemon() && !s.IsExternal() {
			s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
		}
	}
}

// sameService reports whether a stored service is as the new one would be: all that a request can say is the same.
func sameService(old, s *ecs.Service) bool {
	asAsked := func(s *ecs.Service) ecs.Service {
		c := *s
		c.CreatedAt, c.CreatedBy = time.Time{}, ""
		if s.IsDaemon() {
			c.DesiredCount = 0 // nobody asks for it
		}
		c.LaunchTypeBefore = ""
		c.Deployments, c.InactiveAt, c.SteadyAt, c.EventSeq, c.Said, c.Unknown, c.Surge, c.ServiceDeployment = nil, nil, nil, 0, nil, nil, 0, ""
		return c
	}
	return reflect.DeepEqual(asAsked(old), asAsked(s))
}

// forgetEvents removes the events of a service that is replaced: at most as many as are kept of one.
func forgetEvents(tx *state.Tx, s *ecs.Service) {
	var gone []*ecs.Event
	for e := range tx.Events.Under(eventsOf(s), "") {
		gone = append(gone, e)
	}
	for _, e := range gone {
		tx.Delete(e)
	}
}

// creator is who made something, as services show it: a user, or the role itself instead of one of its sessions.
func creator(caller string) string {
	p, err := arn.Parse(caller)
	if err != nil || p.Service != "sts" {
		return caller
	}
	role, ok := strings.CutPrefix(p.Resource, "assumed-role/")
	if !ok {
		return caller
	}
	role, _, _ = strings.Cut(role, "/")
	return "arn:" + p.Partition + ":iam::" + p.Account + ":role/" + role
}

// orNone is the list as records keep it: nil where it is empty.
func orNone[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
