package ecs

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// createService stores a service with its first deployment; the controller starts its tasks. The same request again answers the service that
// is there, another one with its name is refused.
func (a *API) createService(ctx context.Context, r *frontdoor.Request, in *awsecs.CreateServiceInput) (*awsecs.CreateServiceOutput, error) {
	if err := a.validateNewService(in); err != nil {
		return nil, err
	}
	id, err := newDeploymentID()
	if err != nil {
		return nil, err
	}
	var made types.Service
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		d, err := resolveDefinition(tx.Tables, r, *in.TaskDefinition)
		if err != nil {
			return err
		}
		s := newService(r, in, c, d)
		if old := tx.Services.Get(s.ServiceArn); old != nil && old.Status != ecs.Inactive {
			if err := sameService(old, s); err != nil {
				return err
			}
			made = serviceView(tx.Tables, old, true)
			return nil
		} else if old != nil {
			s.EventSeq = old.EventSeq // its events are not shown, but keep their keys
		}
		if err := serviceDefinition(d); err != nil {
			return err
		}
		s.Begin(id, s.CreatedAt)
		tx.Put(s)
		made = serviceView(tx.Tables, s, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.CreateServiceOutput{Service: &made}, nil
}

func newService(r *frontdoor.Request, in *awsecs.CreateServiceInput, c *ecs.Cluster, d *ecs.TaskDefinition) *ecs.Service {
	s := &ecs.Service{
		ServiceArn: c.ClusterArn.Service(*in.ServiceName), Status: ecs.Active, DesiredCount: int(valueOr(in.DesiredCount, 0)),
		TaskDefinition: d.ARN(), LaunchType: in.LaunchType, SchedulingStrategy: types.SchedulingStrategyReplica,
		DeploymentConfiguration: filledDeployment(in.DeploymentConfiguration),
		DeploymentController:    &types.DeploymentController{Type: types.DeploymentControllerTypeEcs},
		PlacementConstraints:    in.PlacementConstraints, PlacementStrategy: in.PlacementStrategy,
		AvailabilityZoneRebalancing: in.AvailabilityZoneRebalancing, EnableECSManagedTags: in.EnableECSManagedTags,
		EnableExecuteCommand: in.EnableExecuteCommand, PropagateTags: in.PropagateTags, Tags: in.Tags,
		CreatedAt: now(), CreatedBy: r.Caller.ARN,
	}
	if s.LaunchType == "" {
		s.LaunchType = types.LaunchTypeEc2
	}
	if s.PropagateTags == "" {
		s.PropagateTags = types.PropagateTagsNone
	}
	if s.AvailabilityZoneRebalancing == "" {
		s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
		if *s.DeploymentConfiguration.MaximumPercent <= 100 {
			s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled
		}
	}
	return s
}

// sameService refuses a second service of a name, unless it is the first one again.
func sameService(old, s *ecs.Service) error {
	if old.Status == ecs.Draining {
		return apierr.InvalidParameter("Unable to Start a service that is still Draining.")
	}
	same := old.DesiredCount == s.DesiredCount && old.TaskDefinition == s.TaskDefinition && old.LaunchType == s.LaunchType &&
		reflect.DeepEqual(old.DeploymentConfiguration, s.DeploymentConfiguration) && len(old.PlacementStrategy) == len(s.PlacementStrategy) &&
		reflect.DeepEqual(old.PlacementConstraints, s.PlacementConstraints)
	if !same {
		return apierr.InvalidParameter("Creation of service was not idempotent.")
	}
	return nil
}

// newDeploymentID is "ecs-svc/" and 19 digits, leading zeros kept.
func newDeploymentID() (string, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(19), nil))
	if err != nil {
		return "", fmt.Errorf("deployment id: %w", err)
	}
	return fmt.Sprintf("ecs-svc/%019s", n.String()), nil
}

// digits is the number of a deployment's id, which its service revision has too.
func digits(deployment string) string { return strings.TrimPrefix(deployment, "ecs-svc/") }
