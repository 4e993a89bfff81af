package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// registerTaskDefinition makes the next revision of a family. Every call makes one, also with equal contents, as on AWS.
func (a *API) registerTaskDefinition(
	ctx context.Context, r *frontdoor.Request, in *awsecs.RegisterTaskDefinitionInput,
) (*awsecs.RegisterTaskDefinitionOutput, error) {
	if n := len(a.registration.EncodeRecord(in)); n > ecs.DefinitionSize {
		return nil, apierr.ClientException("Actual length: '%d'. Max allowed length is '%d' bytes.", n, ecs.DefinitionSize)
	}
	if err := validateDefinition(r, in); err != nil {
		return nil, err
	}
	def, at := newDefinition(in), now()
	def.RegisteredAt, def.RegisteredBy, def.Status = &at, aws.String(r.Caller.ARN), types.TaskDefinitionStatusActive
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		if err := authorizeTags(tx.Tables, r, in.Tags, newRevisionOf(r, *in.Family)); err != nil {
			return err
		}
		family := ecs.Family{Scope: ecs.FamilyKey(r.Scope, *in.Family)}
		if f := tx.Families.Get(family.Scope); f != nil {
			family = *f
		}
		if family.LastRevision++; family.LastRevision > ecs.RevisionsPerFamily {
			return apierr.LimitExceeded(ecs.RevisionsPerFamily, "revisions of a family")
		}
		def.Revision = int32(family.LastRevision)
		def.TaskDefinitionArn = aws.String(string(r.Scope.TaskDefinition(*in.Family, family.LastRevision)))
		tx.Put(&family)
		tx.Put(&ecs.TaskDefinition{Definition: def, Tags: in.Tags})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.RegisterTaskDefinitionOutput{TaskDefinition: &def, Tags: in.Tags}, nil
}

// newDefinition is the definition of a valid request with AWS's defaults, and what follows from it.
func newDefinition(in *awsecs.RegisterTaskDefinitionInput) types.TaskDefinition {
	d := types.TaskDefinition{
		Family: in.Family, TaskRoleArn: in.TaskRoleArn, ExecutionRoleArn: in.ExecutionRoleArn, NetworkMode: in.NetworkMode,
		RequiresCompatibilities: in.RequiresCompatibilities, RuntimePlatform: in.RuntimePlatform,
		EphemeralStorage: in.EphemeralStorage, ProxyConfiguration: in.ProxyConfiguration, PidMode: in.PidMode, IpcMode: in.IpcMode,
		EnableFaultInjection: in.EnableFaultInjection,
		Volumes:              filledVolumes(in.Volumes), PlacementConstraints: orEmpty(in.PlacementConstraints),
		Compatibilities: compatibilities(in), RequiresAttributes: requiredAttributes(in),
	}
	if in.Cpu != nil {
		d.Cpu = numberView(aws.Int32(int32(ecs.CPUUnits(*in.Cpu))))
	}
	if in.Memory != nil {
		d.Memory = numberView(aws.Int32(int32(ecs.MemoryMiB(*in.Memory))))
	}
	for _, c := range in.ContainerDefinitions {
		d.ContainerDefinitions = append(d.ContainerDefinitions, filledContainer(c, in.NetworkMode))
	}
	return d
}
